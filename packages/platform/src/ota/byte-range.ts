/** `Range` of one part, as small clients send it (RFC 9110, 14). */

export interface ByteRange {
  first: number;
  /** Included. */
  last: number;
}

/**
 * Undefined: the whole file, also for what is not understood (14.2: a server may ignore it) and for several parts.
 * `unsatisfiable`: begins behind the end.
 */
export function parseByteRange(header: string | undefined, bytes: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^\s*bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header ?? "");
  if (match === null) return undefined;
  const [, from = "", to = ""] = match;
  if (from === "") {
    // The last n bytes.
    if (to === "") return undefined;
    const count = Number(to);
    return count === 0 ? "unsatisfiable" : { first: Math.max(0, bytes - count), last: bytes - 1 };
  }
  const first = Number(from);
  const last = to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (to !== "" && Number(to) < first) return undefined;
  return first >= bytes ? "unsatisfiable" : { first, last };
}
