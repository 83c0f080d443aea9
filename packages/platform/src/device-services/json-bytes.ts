/** Length of a value as JSON. Infinite for one nested so deeply that it cannot be written: devices may send such. */
export function jsonBytes(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? "");
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
