/** The microcontroller's side of an AT port: says lines, and holds every answered byte against what was expected. */

export interface AtHost {
  receive(bytes: Uint8Array): void;
  send(text: string | Buffer): void;
  /** The next line, without CR LF. */
  line(): Promise<string>;
  /** The next byte must be the `>` of a prompt. */
  prompt(): Promise<void>;
  /** The next bytes, as many as asked for. */
  take(bytes: number): Promise<Buffer>;
  /** Lines until OK or ERROR, blank ones left out. */
  command(line: string): Promise<string[]>;
  /** What came and was not asked for yet. */
  rest(): string;
}

export function createAtHost(send: (bytes: Buffer) => void, waitMilliseconds = 15_000): AtHost {
  let buffer: Buffer = Buffer.alloc(0);
  let wake: (() => void) | undefined;
  const next = async (what: string, cut: () => number): Promise<Buffer> => {
    const deadline = performance.now() + waitMilliseconds;
    for (;;) {
      const end = cut();
      if (end > 0) {
        const found = buffer.subarray(0, end);
        buffer = buffer.subarray(end);
        return found;
      }
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${what}; received: ${JSON.stringify(buffer.toString("latin1"))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const line = async (what = "line") => {
    const found = await next(what, () => buffer.indexOf("\r\n") + 2 - (buffer.includes("\r\n") ? 0 : 1));
    return found.subarray(0, -2).toString();
  };
  const take = (bytes: number) => next(`${bytes} bytes`, () => (buffer.length >= bytes ? bytes : 0));
  return {
    receive(bytes) {
      buffer = Buffer.concat([buffer, bytes]);
      wake?.();
    },
    send: (text) => send(Buffer.from(text)),
    line: () => line(),
    async prompt() {
      const found = await take(1);
      if (found.toString() !== ">") throw new Error(`no prompt: ${JSON.stringify(found.toString() + buffer.toString("latin1"))}`);
    },
    take,
    async command(text) {
      send(Buffer.from(`${text}\r\n`));
      const lines: string[] = [];
      for (;;) {
        const found = await line(`end of ${text} after ${JSON.stringify(lines)}`);
        if (found !== "") lines.push(found);
        if (found === "OK" || found === "ERROR") return lines;
      }
    },
    rest: () => buffer.toString(),
  };
}

/**
 * Plays a transcript: `>> line` is said, `<< line` must be the next line, `<< >` a prompt, `>>> text` is said without CR LF.
 * `<asctime>` stands for any time of day in C's format, `{name}` for a value that is given.
 */
export async function playTranscript(host: AtHost, transcript: string, values: Readonly<Record<string, string>> = {}): Promise<void> {
  for (const [index, row] of transcript.trim().split("\n").entries()) {
    const [, mark = "", written = ""] = /^\s*(>>>|>>|<<) ?(.*)$/.exec(row) ?? [];
    const text = written.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
    if (mark === ">>>") host.send(text);
    else if (mark === ">>") host.send(`${text}\r\n`);
    else if (mark === "<<" && text === ">") await host.prompt();
    else if (mark === "<<") compare(await host.line(), text, index, transcript);
    else throw new Error(`not a row of a transcript: ${row}`);
  }
}

const asctime = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ 123]\\d \\d\\d:\\d\\d:\\d\\d \\d{4}";

function compare(received: string, expected: string, index: number, transcript: string): void {
  const escaped = expected.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace("<asctime>", asctime);
  if (new RegExp(`^${escaped}$`, "s").test(received)) return;
  throw new Error(`row ${index + 1}: received ${JSON.stringify(received)}, expected ${JSON.stringify(expected)} in\n${transcript}`);
}
