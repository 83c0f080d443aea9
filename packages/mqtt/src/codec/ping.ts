/** PINGREQ and PINGRESP. [sections 3.12 and 3.13 of 3.1.1 and 5.0] */
import type { ByteReader } from "./byte-reader.ts";
import { packetTypes } from "./fixed-header.ts";
import type { PingreqPacket, PingrespPacket } from "./packet.ts";

export function decodePingreq(reader: ByteReader): PingreqPacket {
  reader.finish();
  return { type: "pingreq" };
}

export function decodePingresp(reader: ByteReader): PingrespPacket {
  reader.finish();
  return { type: "pingresp" };
}

export function encodePing(type: "pingreq" | "pingresp"): Buffer {
  return Buffer.from([packetTypes[type] << 4, 0]);
}
