/** What the host reads. Every call writes one whole message, so that nothing lands in the middle of another. [ESP-AT 1.3] */
import { formatErrorCode } from "./at-error.ts";

export class Output {
  readonly #write: (bytes: Buffer) => void;
  /** In passthrough the port carries the peer's data and nothing else. */
  isQuiet = false;
  /** AT+SYSLOG=1. */
  showsErrorCodes = false;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  raw(bytes: Buffer): void {
    this.#write(bytes);
  }

  /** `text` and CR LF. */
  line(text: string): void {
    if (!this.isQuiet) this.#write(Buffer.from(`${text}\r\n`));
  }

  /** Without CR LF: the one that opens the result ends it. */
  open(text: string): void {
    if (!this.isQuiet) this.#write(Buffer.from(text));
  }

  /** CR LF on both sides. */
  block(text: string): void {
    if (!this.isQuiet) this.#write(Buffer.from(`\r\n${text}\r\n`));
  }

  ok(): void {
    this.#write(okBytes);
  }

  prompt(): void {
    this.#write(promptBytes);
  }

  error(errorCode: number): void {
    const detail = this.showsErrorCodes ? `${formatErrorCode(errorCode)}\r\n` : "";
    this.#write(Buffer.from(`${detail}\r\nERROR\r\n`));
  }

  busy(errorCode: number): void {
    const detail = this.showsErrorCodes ? `${formatErrorCode(errorCode)}\r\n` : "";
    this.#write(Buffer.from(`${detail}\r\nbusy p...\r\n`));
  }

  /** A head, data as it is, and CR LF, in one piece. */
  data(head: string, data: Buffer): void {
    if (!this.isQuiet) this.#write(Buffer.concat([Buffer.from(head), data, lineEnd]));
  }
}

const okBytes = Buffer.from("\r\nOK\r\n");
const promptBytes = Buffer.from("\r\nOK\r\n\r\n>");
const lineEnd = Buffer.from("\r\n");
