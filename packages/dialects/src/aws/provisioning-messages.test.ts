import { encode } from "cborg";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeProvisioningRequest, encodeProvisioningAnswer, provisioningFormats } from "./provisioning-messages.ts";

test.each(provisioningFormats)("[AW 13] what is written as %s is read", (format) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.dictionary(fc.string(), fc.string()))), (members) => {
      expect({ ...decodeProvisioningRequest(format, encodeProvisioningAnswer(format, members)) }).toEqual(members);
    }),
  );
  expect(decodeProvisioningRequest(format, new Uint8Array())).toEqual({});
});

test.each([
  ["json", Buffer.from("[]")],
  ["json", Buffer.from('"a"')],
  ["json", Buffer.from("{")],
  ["json", Buffer.from('{"a":'.repeat(4_000))],
  ["cbor", encode([1])],
  ["cbor", encode("a")],
  ["cbor", encode(new Uint8Array(3))],
  ["cbor", Buffer.from([0xa1, 0x61])],
  ["cbor", Buffer.alloc(100_000, 0x81)],
  ["cbor", Buffer.alloc(100_000, 0xa1)],
] as const)("no object as %s is no request", (format, payload) => {
  expect(decodeProvisioningRequest(format, payload)).toBeUndefined();
});

test("any bytes are answered", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(...provisioningFormats), (payload, format) => {
      decodeProvisioningRequest(format, payload);
    }),
  );
});
