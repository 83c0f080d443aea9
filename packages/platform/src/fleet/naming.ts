/** Things among the registry's devices: the product they are of, and how they are named there. */
import type { Random } from "../clock.ts";
import type { DeviceNaming } from "../registry/index.ts";

export const thingProductKey = "aws";

/** AW 4. The registry is given it, so that its REST interface makes no device that could not be a thing. */
export const thingNaming: DeviceNaming = {
  pattern: /^[a-zA-Z0-9:_-]{1,128}$/,
  expected: `1 to 128 letters, digits, ":", "_" or "-"`,
  newIotId: drawUuid,
};

/** RFC 9562, version 4. */
export function drawUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
