/** A TCP stream that passes TLS records on unless one is larger than a small device's buffer. */
import { Duplex } from "node:stream";
import { DeviceError } from "./errors.ts";

/** Type, version, length (RFC 8446, 5.1). */
const headerBytes = 5;

export class RecordGuard extends Duplex {
  readonly #socket: Duplex;
  readonly #server: string;
  readonly #recordBytesMax: number;
  /** Of the record that is on its way. */
  #bytesLeft = 0;
  #header = Buffer.alloc(0);

  constructor(socket: Duplex, server: string, recordBytesMax: number) {
    super();
    this.#socket = socket;
    this.#server = server;
    this.#recordBytesMax = recordBytesMax;
    socket.on("data", (chunk: Buffer) => {
      const error = this.#inspect(chunk);
      if (error !== undefined) this.destroy(error);
      else if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /** Follows the records through the chunks, which end anywhere. */
  #inspect(chunk: Buffer): DeviceError | undefined {
    let at = 0;
    while (at < chunk.length) {
      const passed = Math.min(this.#bytesLeft, chunk.length - at);
      this.#bytesLeft -= passed;
      at += passed;
      if (at === chunk.length) return undefined;
      const missing = headerBytes - this.#header.length;
      this.#header = Buffer.concat([this.#header, chunk.subarray(at, at + missing)]);
      at += missing;
      if (this.#header.length < headerBytes) return undefined;
      this.#bytesLeft = this.#header.readUInt16BE(headerBytes - 2);
      this.#header = Buffer.alloc(0);
      if (this.#bytesLeft > this.#recordBytesMax) {
        const details = { server: this.#server, received: this.#bytesLeft, expected: this.#recordBytesMax };
        return new DeviceError("device.record_too_large", details);
      }
    }
    return undefined;
  }
}
