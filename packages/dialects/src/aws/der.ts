/** Reading of DER, as far as certificates need it. Throws RangeError for bytes that are none. */

export interface DerElement {
  /** Whole identifier byte: class, constructed bit and number. */
  readonly tag: number;
  readonly content: Uint8Array;
}

export const derTags = {
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  bmpString: 0x1e,
  universalString: 0x1c,
  latinString: 0x14,
  sequence: 0x30,
} as const;

/** The elements that lie one after the other. */
export function readDer(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  for (let position = 0; position < bytes.length; ) {
    const tag = byteAt(bytes, position);
    let length = byteAt(bytes, position + 1);
    position += 2;
    if (length >= 0x80) {
      const lengthBytes = length & 0x7f;
      if (lengthBytes === 0 || lengthBytes > 4) throw new RangeError("length of a DER element");
      length = 0;
      for (let index = 0; index < lengthBytes; index++) length = length * 256 + byteAt(bytes, position + index);
      position += lengthBytes;
    }
    if (position + length > bytes.length) throw new RangeError("DER element beyond its end");
    elements.push({ tag, content: bytes.subarray(position, position + length) });
    position += length;
  }
  return elements;
}

function byteAt(bytes: Uint8Array, position: number): number {
  const byte = bytes[position];
  if (byte === undefined) throw new RangeError("DER ends early");
  return byte;
}

/** `2.5.4.3`. */
export function readObjectIdentifier(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}

export function readDerText({ tag, content }: DerElement): string {
  if (tag === derTags.bmpString) return new TextDecoder("utf-16be").decode(content);
  if (tag === derTags.latinString) return new TextDecoder("latin1").decode(content);
  if (tag !== derTags.universalString) return new TextDecoder().decode(content);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let text = "";
  for (let at = 0; at + 4 <= content.length; at += 4) text += String.fromCodePoint(view.getUint32(at));
  return text;
}

/** Never negative here: serial numbers with the sign bit set come from careless issuers and are meant as they look. */
export function readDerInteger(content: Uint8Array): bigint {
  let value = 0n;
  for (const byte of content) value = value * 256n + BigInt(byte);
  return value;
}
