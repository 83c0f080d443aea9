import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Connection, Transport } from "@thingstead/mqtt";
import type { Deadlines } from "./deadlines.ts";
import { SharedReadSocket } from "./shared-read.ts";

/** Carries an MQTT byte stream over a TCP or TLS socket. */
export class SocketTransport implements Transport {
  readonly #socket: Socket;
  /** For those whose end was sent. */
  readonly #graces: Deadlines<Socket>;

  constructor(socket: Socket, graces: Deadlines<Socket>) {
    this.#socket = socket;
    this.#graces = graces;
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

  end(isPeerDone = false): void {
    if (this.#socket.destroyed) return;
    // The kernel has everything and the peer wants nothing more: half-closing and waiting for its FIN cost a tenth of a
    // connect. In TLS the peer is told first.
    if (isPeerDone && this.#socket.writableLength === 0 && !(this.#socket instanceof TLSSocket)) {
      this.#socket.destroy();
      return;
    }
    this.#socket.end();
    // A peer that reads nothing or never answers the FIN would keep the socket for ever.
    this.#graces.start(this.#socket);
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
export function feedConnection(socket: Socket, connection: Connection, first: Uint8Array, graces: Deadlines<Socket>): void {
  if (socket instanceof SharedReadSocket) socket.receiver = connection;
  else socket.on("data", (chunk: Buffer) => connection.receive(chunk));
  socket.on("drain", () => connection.drained());
  socket.once("close", () => {
    graces.stop(socket);
    connection.closed();
  });
  connection.receive(first);
}
