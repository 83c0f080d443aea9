/** MD2 (RFC 1319): node:crypto has it no more, and the AWS rule SQL offers it. */

/** A permutation of the bytes made of the digits of pi. */
const substitution = Buffer.from(
  "292e43c9a2d87c013d3654a1ecf0061362a705f3c0c7738c98932bd9bc4c82ca1e9b573cfdd4e01667426f188a17e512be4ec4d6da9ede49a0fbf58ebb2fee7a" +
    "a968799115b2073f94c210890b225f21807f5d9a5a903227353ecce7bff79703ff1930b348a5b5d1d75e922aac56aac64fb838d296a47db676fc6be29c7404f1" +
    "459d705964718720865bcf65e62da8021b6025adaeb0b9f61c46616934407e0f5547a323dd51af3ac35cf9cebac5ea262c530d6e85288409d3dfcdf441814d52" +
    "6adc37c86cc1abfa24e17b080cbdb14a7888958be363e86de9cbd5fe3b001d39f2efb70e6658d0e4a67772f8eb754b0a314450b48fed1f1adb998d339f118314",
  "hex",
);

export function md2(message: Uint8Array): string {
  const padding = 16 - (message.length % 16);
  const padded = Buffer.concat([message, Buffer.alloc(padding, padding)]);
  const checksum = Buffer.alloc(16);
  let last = 0;
  for (let start = 0; start < padded.length; start += 16) {
    for (let index = 0; index < 16; index += 1) {
      last = (checksum[index] ?? 0) ^ (substitution[(padded[start + index] ?? 0) ^ last] ?? 0);
      checksum[index] = last;
    }
  }
  const state = Buffer.alloc(48);
  const blocks = Buffer.concat([padded, checksum]);
  for (let start = 0; start < blocks.length; start += 16) {
    for (let index = 0; index < 16; index += 1) {
      const byte = blocks[start + index] ?? 0;
      state[16 + index] = byte;
      state[32 + index] = (state[index] ?? 0) ^ byte;
    }
    mix(state);
  }
  return state.toString("hex", 0, 16);
}

function mix(state: Buffer): void {
  let carry = 0;
  for (let round = 0; round < 18; round += 1) {
    for (let index = 0; index < 48; index += 1) {
      carry = (state[index] ?? 0) ^ (substitution[carry] ?? 0);
      state[index] = carry;
    }
    carry = (carry + round) % 256;
  }
}
