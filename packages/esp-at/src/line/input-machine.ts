/**
 * What the host sends, byte by byte, however it is cut: command lines, the bytes after a `>`, or passthrough.
 * One state at a time; the sink decides what a line means and may change the state while it is told of one.
 */
import type { Clock } from "../clock.ts";
import type { ModemLimits } from "../limits.ts";

export interface InputSink {
  /** A command runs: what arrives meanwhile is thrown away. */
  isBusy(): boolean;
  /** Bytes that belong to a command line, as they come. */
  echo(bytes: Buffer): void;
  /** A whole line without CR LF. */
  line(line: Buffer): void;
  lineTooLong(): void;
  /** A whole line arrived while a command ran. */
  refused(): void;
}

type State =
  | { kind: "line" }
  | { kind: "prompt"; bytesLeft: number; pieces: Buffer[]; done: (bytes: Buffer) => void }
  | { kind: "escaped"; bytesMax: number; bytes: number[]; isEscaped: boolean; done: (bytes: Buffer) => void }
  | { kind: "passthrough"; take: (bytes: Buffer) => void; leave: () => void };

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const backslash = 0x5c;
const zero = 0x30;

export class InputMachine {
  readonly #sink: InputSink;
  readonly #clock: Clock;
  readonly #limits: ModemLimits;
  #state: State = { kind: "line" };
  #line: Buffer;
  /** May be more than fits: then the line is too long. */
  #lineBytes = 0;
  #lastByte = 0;
  /** A part of this line came while a command ran. */
  #isRefused = false;
  #lastPassedAt = Number.NEGATIVE_INFINITY;
  #cancelLeave: (() => void) | undefined;

  constructor(sink: InputSink, clock: Clock, limits: ModemLimits) {
    this.#sink = sink;
    this.#clock = clock;
    this.#limits = limits;
    this.#line = Buffer.alloc(limits.lineBytesMax + 2);
  }

  get isAwaitingData(): boolean {
    return this.#state.kind === "prompt" || this.#state.kind === "escaped";
  }

  /** The next `bytes` bytes go to `done` as they are. */
  expect(bytes: number, done: (bytes: Buffer) => void): void {
    this.#state = { kind: "prompt", bytesLeft: bytes, pieces: [], done };
  }

  /** As `expect`, but ends early at a typed `\0`; `\\0` stands for those two characters. */
  expectEscaped(bytesMax: number, done: (bytes: Buffer) => void): void {
    this.#state = { kind: "escaped", bytesMax, bytes: [], isEscaped: false, done };
  }

  /** Everything goes to `take`, until `+++` stands alone. */
  passThrough(take: (bytes: Buffer) => void, leave: () => void): void {
    this.#lastPassedAt = Number.NEGATIVE_INFINITY;
    this.#state = { kind: "passthrough", take, leave };
  }

  /** Back to command lines; what was begun is forgotten. */
  reset(): void {
    this.#cancelLeave?.();
    this.#cancelLeave = undefined;
    this.#state = { kind: "line" };
    this.#startLine();
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      const used = this.#take(rest);
      rest = rest.subarray(used);
    }
  }

  /** Gives how many bytes were used, at least one. */
  #take(bytes: Buffer): number {
    const state = this.#state;
    switch (state.kind) {
      case "line":
        return this.#takeLine(bytes);
      case "prompt": {
        const piece = bytes.subarray(0, state.bytesLeft);
        state.pieces.push(Buffer.from(piece));
        state.bytesLeft -= piece.length;
        if (state.bytesLeft === 0) this.#finish(() => state.done(Buffer.concat(state.pieces)));
        return piece.length;
      }
      case "escaped":
        return this.#takeEscaped(state, bytes);
      case "passthrough":
        this.#takePassthrough(state, Buffer.from(bytes));
        return bytes.length;
    }
  }

  #finish(tell: () => void): void {
    this.#state = { kind: "line" };
    this.#startLine();
    tell();
  }

  #startLine(): void {
    this.#lineBytes = 0;
    this.#lastByte = 0;
    this.#isRefused = false;
  }

  #takeLine(bytes: Buffer): number {
    const feed = bytes.indexOf(lineFeed);
    const used = feed < 0 ? bytes.length : feed + 1;
    const piece = bytes.subarray(0, used);
    if (this.#sink.isBusy()) this.#isRefused = true;
    else this.#sink.echo(piece);
    const room = this.#line.length - this.#lineBytes;
    if (room > 0) piece.copy(this.#line, this.#lineBytes, 0, Math.min(room, piece.length));
    this.#lineBytes += piece.length;
    const before = piece.length > 1 ? piece[piece.length - 2] : this.#lastByte;
    this.#lastByte = piece[piece.length - 1] ?? 0;
    // A line feed alone ends nothing: it is one more byte of the line.
    if (feed >= 0 && before === carriageReturn) this.#endLine();
    return used;
  }

  #endLine(): void {
    const length = this.#lineBytes - 2;
    const isRefused = this.#isRefused;
    this.#startLine();
    // A line break alone is what some drivers send to be sure of a fresh line.
    if (length === 0) return;
    if (isRefused) this.#sink.refused();
    else if (length > this.#limits.lineBytesMax) this.#sink.lineTooLong();
    else this.#sink.line(this.#line.subarray(0, length));
  }

  #takeEscaped(state: Extract<State, { kind: "escaped" }>, bytes: Buffer): number {
    for (const [index, byte] of bytes.entries()) {
      if (state.isEscaped) {
        state.isEscaped = false;
        if (byte === zero) {
          // The last backslash of `\\0` was typed to protect the `\0` before it.
          if (state.bytes.at(-1) === backslash) state.bytes.push(zero);
          else {
            this.#finish(() => state.done(Buffer.from(state.bytes)));
            return index + 1;
          }
        } else if (byte === backslash && state.bytes.at(-1) !== backslash) {
          state.bytes.push(backslash);
          state.isEscaped = true;
          continue;
        } else state.bytes.push(backslash, byte);
      } else if (byte === backslash) state.isEscaped = true;
      else state.bytes.push(byte);
      if (state.bytes.length >= state.bytesMax) {
        this.#finish(() => state.done(Buffer.from(state.bytes.slice(0, state.bytesMax))));
        return index + 1;
      }
    }
    return bytes.length;
  }

  /** `+++` ends passthrough only with silence before and behind it; otherwise it is data. */
  #takePassthrough(state: Extract<State, { kind: "passthrough" }>, bytes: Buffer): void {
    const silence = this.#limits.passthroughSilenceMilliseconds;
    const now = this.#clock.now();
    const wasSilent = now - this.#lastPassedAt >= silence;
    this.#lastPassedAt = now;
    if (this.#cancelLeave !== undefined) {
      this.#cancelLeave();
      this.#cancelLeave = undefined;
      state.take(Buffer.concat([Buffer.from("+++"), bytes]));
      return;
    }
    if (!wasSilent || !bytes.equals(Buffer.from("+++"))) {
      state.take(bytes);
      return;
    }
    this.#cancelLeave = this.#clock.after(silence, () => {
      this.#cancelLeave = undefined;
      this.#finish(state.leave);
    });
  }
}
