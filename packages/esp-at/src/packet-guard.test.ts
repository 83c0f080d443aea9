import fc from "fast-check";
import { expect, test } from "vitest";
import { PacketGuard } from "./packet-guard.ts";

const packet = (bodyBytes: number) => {
  const length: number[] = [];
  let rest = bodyBytes;
  do {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([0x30, ...length]), Buffer.alloc(bodyBytes, 0xff)]);
};

test("[MQTT-2.2.3] packets up to the limit pass, one that is larger does not, however the stream is cut", () => {
  const sizes = fc.array(fc.nat(700), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 200 }), (bodies, chunkBytes) => {
      const guard = new PacketGuard(500);
      const stream = Buffer.concat(bodies.map(packet));
      let isAdmitted = true;
      for (let at = 0; at < stream.length && isAdmitted; at += chunkBytes) isAdmitted = guard.admits(stream.subarray(at, at + chunkBytes));
      expect(isAdmitted).toBe(bodies.every((bytes) => bytes <= 500));
    }),
  );
});

test("[MQTT-2.2.3] a length that never ends is refused", () => {
  expect(new PacketGuard(0x7fffffff).admits(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x80]))).toBe(false);
});
