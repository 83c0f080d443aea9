import type { Socket } from "node:net";
import type { Connection, Transport } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import { SharedReadSocket } from "./shared-read.ts";

/** Carries an MQTT byte stream over a TCP or TLS socket. */
export class SocketTransport implements Transport {
  #socket: Socket;
  #clock: Clock;
  #closeGraceMilliseconds: number;

  constructor(socket: Socket, options: { clock: Clock; closeGraceMilliseconds: number }) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.#closeGraceMilliseconds = options.closeGraceMilliseconds;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
    // A peer that reads nothing or never answers the FIN would keep the socket for ever.
    const cancel = this.#clock.after(this.#closeGraceMilliseconds, () => this.#socket.destroy());
    this.#socket.once("close", cancel);
    // Paused streams do not see the peer's FIN.
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** Calls `read` with what comes, in memory of its own, until the returned function is called. */
export function readFirstBytes(socket: Socket, read: (chunk: Buffer) => void): () => void {
  if (socket instanceof SharedReadSocket) {
    // Without the detour through the stream, which costs as much as the rest of an MQTT connect here.
    socket.receiver = { receive: (bytes, end) => read(Buffer.from(bytes.subarray(0, end))) };
    return () => {
      socket.receiver = undefined;
    };
  }
  socket.on("data", read);
  return () => socket.off("data", read);
}

/** Wires a socket's events to the engine; `first` are the bytes read while sniffing. */
export function feedConnection(socket: Socket, connection: Connection, first: Uint8Array): void {
  if (socket instanceof SharedReadSocket) socket.receiver = connection;
  else socket.on("data", (chunk: Buffer) => connection.receive(chunk));
  socket.on("drain", () => connection.drained());
  socket.once("close", () => connection.closed());
  connection.receive(first);
}
