/** What is wrong with a template or its parameters, and where; it never leaves the template's files. */
export class TemplateFault extends Error {
  readonly path: string;
  readonly received: string;
  readonly expected: string;

  constructor(path: string, received: unknown, expected: string) {
    super(path);
    this.path = path;
    this.received = shorten(received);
    this.expected = expected;
  }
}

const receivedCharactersMax = 80;

function shorten(received: unknown): string {
  const text = typeof received === "string" ? received : (JSON.stringify(received) ?? "nothing");
  return text.length > receivedCharactersMax ? `${text.slice(0, receivedCharactersMax)}…` : text;
}
