/** IP addresses and CIDR ranges of both versions, for conditions on addresses. */

interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

export interface IpRange {
  readonly address: IpAddress;
  /** Leading bits that count. */
  readonly prefixBits: number;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or an address alone. */
export function parseIpRange(text: string): IpRange | undefined {
  const [head = "", tail, ...rest] = text.split("/");
  const address = parseIpAddress(head);
  if (address === undefined || rest.length > 0) return undefined;
  if (tail === undefined) return { address, prefixBits: address.bits };
  const prefixBits = /^\d{1,3}$/.test(tail) ? Number(tail) : Number.NaN;
  return prefixBits >= 0 && prefixBits <= address.bits ? { address, prefixBits } : undefined;
}

export function isInRange({ address, prefixBits }: IpRange, text: string): boolean {
  const candidate = parseIpAddress(text);
  if (candidate === undefined || candidate.bits !== address.bits) return false;
  const dropped = BigInt(address.bits - prefixBits);
  return candidate.value >> dropped === address.value >> dropped;
}

const mappedHead = 0xffffn;

/** IPv4 inside IPv6 (`::ffff:10.0.0.1`, what a dual-stack socket tells) is the IPv4 address. */
function parseIpAddress(text: string): IpAddress | undefined {
  const [withoutZone = ""] = text.split("%");
  if (!withoutZone.includes(":")) {
    const value = parseQuad(withoutZone);
    return value === undefined ? undefined : { bits: 32, value };
  }
  const value = parseGroups(withoutZone);
  if (value === undefined) return undefined;
  return value >> 32n === mappedHead ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value };
}

function parseQuad(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseGroups(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = [halves[0] ?? "", halves[1]].map((half) => expand(half));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? join(head) : undefined;
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  return join([...head, ...new Array<bigint>(8 - head.length - tail.length).fill(0n), ...tail]);
}

function expand(half: string | undefined): bigint[] | undefined {
  if (half === undefined) return undefined;
  if (half === "") return [];
  const groups: bigint[] = [];
  const parts = half.split(":");
  for (const [index, part] of parts.entries()) {
    const quad = index === parts.length - 1 && part.includes(".") ? parseQuad(part) : undefined;
    if (quad !== undefined) groups.push(quad >> 16n, quad & 0xffffn);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

function join(groups: readonly bigint[]): bigint | undefined {
  return groups.length === 8 ? groups.reduce((value, group) => (value << 16n) | group, 0n) : undefined;
}
