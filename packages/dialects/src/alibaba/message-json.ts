/** JSON of devices. What is read here is written again for rules, answers and the history, and writing goes as deep as the value does. */

export const messageJsonLimits = {
  /** Objects and arrays inside one another. Messages of the documents have ten at most; thousands exhaust the stack of whoever writes them. */
  nestingMax: 128,
} as const;

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Told from the text, before anything is built of it. */
export function isNestedTooDeep(text: string): boolean {
  // Each level costs an opening and a closing character.
  if (text.length <= messageJsonLimits.nestingMax * 2) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === quote) i = endOfText(text, i);
    else if (unit === openBrace || unit === openBracket) {
      depth++;
      if (depth > messageJsonLimits.nestingMax) return true;
    } else if (unit === closeBrace || unit === closeBracket) depth--;
  }
  return false;
}

/** Index of the quote that ends the text beginning at `start`. */
function endOfText(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
  } while (isEscaped(text, end));
  return end;
}

function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (text.charCodeAt(first - 1) === backslash) first--;
  return (index - first) % 2 === 1;
}

/** @throws SyntaxError when the text is not JSON, or nested deeper than {@link messageJsonLimits}. */
export function parseMessageJson(text: string): unknown {
  if (isNestedTooDeep(text)) throw new SyntaxError(`nested deeper than ${messageJsonLimits.nestingMax} levels`);
  return JSON.parse(text);
}
