const quote = 0x22;
const backslash = 0x5c;

/** Removes the blanks outside texts. The input must be valid JSON in UTF-8. Returns the input when there is nothing to remove. */
export function compactJson(bytes: Uint8Array): Uint8Array {
  const kept = new Uint8Array(bytes.length);
  let length = 0;
  let isInText = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (isInText) {
      kept[length++] = byte;
      if (byte === backslash) kept[length++] = bytes[++index] ?? 0;
      else if (byte === quote) isInText = false;
      continue;
    }
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
    if (byte === quote) isInText = true;
    kept[length++] = byte;
  }
  return length === bytes.length ? bytes : kept.subarray(0, length);
}
