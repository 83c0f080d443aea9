/** RFC 3986 over UTF-8: only `A-Z a-z 0-9 - _ . ~` stay (reference 1.3). */
export function percentEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Decodes one name or value of a query or form, where `+` stands for a blank. Undefined when it is not valid percent-encoded UTF-8. */
export function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
