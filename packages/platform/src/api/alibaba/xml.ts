/** Objects as XML the vendor's way: one element a member, arrays repeat their element (reference 1.5). */

export function formatXml(root: string, value: Readonly<Record<string, unknown>>): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${formatElement(root, value)}`;
}

function formatElement(name: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map((item) => formatElement(name, item)).join("");
  const content =
    typeof value === "object"
      ? Object.entries(value)
          .map(([member, inner]) => formatElement(member, inner))
          .join("")
      : escapeXml(String(value));
  return `<${name}>${content}</${name}>`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#13;" };

/** Signs that XML 1.0 cannot hold at all become U+FFFD: dropping them would join what stood apart. */
function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly the control characters are what XML 1.0 forbids
      .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "\uFFFD")
      .replace(/[&<>"'\r]/g, (sign) => entities[sign] ?? sign)
  );
}
