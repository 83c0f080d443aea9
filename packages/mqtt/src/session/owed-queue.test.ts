import fc from "fast-check";
import { expect, test } from "vitest";
import type { JournalSlot, KeptMessage } from "../ports.ts";
import type { Delivery } from "./delivery-queue.ts";
import { deliveryBytes } from "./delivery-queue.ts";
import { OwedQueue } from "./owed-queue.ts";

const slots: JournalSlot[] = Array.from({ length: 5 }, (_, number) => ({ number }));

function owed(sequence: number, part: Partial<Delivery> = {}): Delivery {
  return {
    sequence,
    message: {
      topic: `t/${sequence % 3}`,
      payload: Buffer.from(`payload ${sequence}`),
      properties: undefined,
      receivedAt: 1.7e12 + sequence,
    },
    qos: sequence % 2 === 0 ? 2 : 1,
    isRetained: sequence % 5 === 0,
    identifiers: undefined,
    packetId: 0,
    isReleased: false,
    slot: slots[sequence % slots.length],
    shareFilter: undefined,
    isHeld: false,
    wasSent: false,
    encoded: undefined,
    ...part,
  };
}

const packs = (queue: OwedQueue, { payload, properties }: KeptMessage) => queue.packs({ payloadBytes: payload.length, properties });

function add(queue: OwedQueue, delivery: Delivery): void {
  queue.push(delivery, packs(queue, delivery.message));
}

function filled(count: number): { queue: OwedQueue; model: Delivery[] } {
  const queue = new OwedQueue();
  const model = Array.from({ length: count }, (_, index) => owed(index + 1));
  for (const delivery of model) add(queue, { ...delivery });
  return { queue, model };
}

const plain = (delivery: Delivery | undefined) =>
  delivery && { ...delivery, message: { ...delivery.message, payload: Buffer.from(delivery.message.payload).toString() } };

test("what went in comes out, in its order and with every field, however long the queue was", () => {
  const { queue, model } = filled(1_000);
  expect(queue.length).toBe(1_000);
  for (const delivery of model) expect(plain(queue.shift())).toEqual(plain(delivery));
  expect([queue.shift(), queue.length, queue.bytes]).toEqual([undefined, 0, 0]);
});

test("a message behind many is copied: the memory it came in may be used again", () => {
  const { queue } = filled(64);
  const payload = Buffer.from("before");
  const delivery = owed(65, { message: { topic: "t", payload, properties: undefined, receivedAt: 1 } });
  expect(packs(queue, delivery.message)).toBe(true);
  queue.push(delivery, true);
  payload.fill("x");
  for (let count = 64; count > 0; count -= 1) queue.shift();
  expect(plain(queue.peek())?.message.payload).toBe("before");
});

test("properties and large payloads are not packed, nor is a short queue", () => {
  const { message } = owed(1);
  expect(packs(filled(63).queue, message)).toBe(false);
  const { queue } = filled(100);
  expect(packs(queue, message)).toBe(true);
  expect(packs(queue, { ...message, properties: { contentType: "text/plain" } })).toBe(false);
  expect(packs(queue, { ...message, payload: Buffer.alloc(1024) })).toBe(true);
  expect(packs(queue, { ...message, payload: Buffer.alloc(1025) })).toBe(false);
});

test("the oldest is known without unpacking, and moved slots stay moved", () => {
  const { queue, model } = filled(300);
  const asked: number[] = [];
  const moved: JournalSlot = { number: 9 };
  queue.moveSlots(2, (delivery, slot) => {
    expect(slot).toBe(model[delivery.sequence - 1]?.slot);
    asked.push(delivery.sequence);
    return delivery.sequence === 7 ? undefined : moved;
  });
  expect(asked).toEqual(model.filter(({ slot }) => slot !== undefined && slot.number <= 2).map(({ sequence }) => sequence));
  const expected = model.map(({ sequence, slot }) => (asked.includes(sequence) ? (sequence === 7 ? undefined : moved) : slot));
  expect([...queue.slots()]).toEqual(expected);
  for (const [index, { message }] of model.entries()) {
    expect(queue.oldestReceivedAt).toBe(message.receivedAt);
    expect(queue.shift()?.slot).toBe(expected[index]);
  }
  expect(queue.oldestReceivedAt).toBe(Number.POSITIVE_INFINITY);
});

test("behaves as an array does", () => {
  const kinds = fc.constantFrom("small", "small", "small", "whole", "large", "empty", "shift", "peek", "burst", "drain", "clear");
  fc.assert(
    fc.property(fc.array(kinds, { maxLength: 120 }), (steps) => {
      const queue = new OwedQueue();
      let model: Delivery[] = [];
      let sequence = 0;
      const put = (part: Partial<Delivery> = {}) => {
        const delivery = owed(++sequence, part);
        const isSpecial = delivery.identifiers !== undefined;
        queue.push(delivery, !isSpecial && packs(queue, delivery.message));
        model.push(delivery);
      };
      const withPayload = (payload: Buffer) => ({ message: { ...owed(sequence).message, payload } });
      for (const step of steps) {
        if (step === "small") put();
        else if (step === "whole") put({ identifiers: [sequence] });
        else if (step === "large") put(withPayload(Buffer.alloc(1_000 + (sequence % 50), sequence)));
        else if (step === "empty") put(withPayload(Buffer.alloc(0)));
        else if (step === "burst") for (let count = 0; count < 150; count += 1) put();
        else if (step === "clear") {
          queue.clear();
          model = [];
        } else if (step === "peek") expect(plain(queue.peek())).toEqual(plain(model[0]));
        else for (let count = step === "drain" ? 70 : 1; count > 0; count -= 1) expect(plain(queue.shift())).toEqual(plain(model.shift()));
        expect(queue.length).toBe(model.length);
        expect(queue.bytes).toBe(model.reduce((sum, delivery) => sum + deliveryBytes(delivery), 0));
        expect(queue.oldestReceivedAt).toBe(model[0]?.message.receivedAt ?? Number.POSITIVE_INFINITY);
      }
      expect([...queue.slots()]).toEqual(model.map(({ slot }) => slot));
    }),
    { numRuns: 60 },
  );
});
