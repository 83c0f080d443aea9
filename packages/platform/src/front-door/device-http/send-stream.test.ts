import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { settle } from "../../fake-clock.ts";
import { sendStream } from "./send-stream.ts";

/** As much of an answer as is written to: it takes pieces until it is full. */
class SlowResponse extends EventEmitter {
  readonly written: string[] = [];
  destroyed = false;
  takes = 1;

  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes).toString());
    this.takes -= 1;
    return this.takes > 0;
  }
}

function open(pieces: (string | Promise<Uint8Array>)[]) {
  const response = new SlowResponse();
  let asked = 0;
  let taken = 0;
  const body = {
    next() {
      const piece = pieces[asked++];
      return typeof piece === "string" ? Buffer.from(piece) : piece;
    },
  };
  const sending = sendStream(response as unknown as ServerResponse, body, () => taken++);
  return { response, sending, asked: () => asked, taken: () => taken };
}

test("a reader that does not read makes nothing be read ahead", async () => {
  const { response, sending, asked, taken } = open(["a", "b", Promise.resolve(Buffer.from("c")), "d"]);
  await settle();
  expect([response.written, asked()]).toEqual([["a"], 1]);
  response.takes = 2;
  response.emit("drain");
  await settle();
  expect([response.written, asked()]).toEqual([["a", "b", "c"], 3]);
  response.takes = 9;
  response.emit("drain");
  expect(await sending).toBe(true);
  expect(response.written).toEqual(["a", "b", "c", "d"]);
  expect(taken()).toBe(2);
  expect(response.listenerCount("drain") + response.listenerCount("close")).toBe(0);
});

test("a client that goes away ends it, waiting or reading", async () => {
  const waiting = open(["a", "b"]);
  await settle();
  waiting.response.destroyed = true;
  waiting.response.emit("close");
  expect(await waiting.sending).toBe(false);
  expect(waiting.asked()).toBe(1);

  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const reading = open([promise]);
  reading.response.destroyed = true;
  resolve(Buffer.from("late"));
  expect(await reading.sending).toBe(false);
  expect(reading.response.written).toEqual([]);
});

test("a file that cannot be read is the caller's to know", async () => {
  const { response, sending } = open([Promise.reject(new Error("lost"))]);
  await expect(sending).rejects.toThrow("lost");
  expect(response.listenerCount("close")).toBe(0);
});
