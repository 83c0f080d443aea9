import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Broker, Transport } from "@thingstead/mqtt";
import { BareSocket } from "./bare-socket.ts";
import { connectionFacts } from "./connection-facts.ts";
import type { Deadlines } from "./deadlines.ts";
import { SharedReadSocket } from "./shared-read.ts";

export type Graces = Deadlines<{ destroy(): void }>;

/** Carries an MQTT byte stream over a TCP or TLS socket. */
class SocketTransport implements Transport {
  readonly #socket: Socket;
  /** For those whose end was sent. */
  readonly #graces: Graces;

  constructor(socket: Socket, graces: Graces) {
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
export function readFirstBytes(socket: Socket | BareSocket, read: (chunk: Buffer) => void): () => void {
  if (socket instanceof BareSocket) {
    socket.read = read;
    return () => {
      socket.read = undefined;
    };
  }
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

/** Lets the engine have the socket; `first` are the bytes read while sniffing. */
export function carryMqtt(socket: Socket | BareSocket, first: Uint8Array, broker: Pick<Broker, "accept">, graces: Graces): void {
  const facts = connectionFacts(socket, "tcp");
  if (socket instanceof BareSocket) {
    const connection = broker.accept(socket, facts);
    socket.carry(connection, graces);
    connection.receive(first);
    return;
  }
  const connection = broker.accept(new SocketTransport(socket, graces), facts);
  if (socket instanceof SharedReadSocket) socket.receiver = connection;
  else socket.on("data", (chunk: Buffer) => connection.receive(chunk));
  socket.on("drain", () => connection.drained());
  socket.once("close", () => {
    graces.stop(socket);
    connection.closed();
  });
  connection.receive(first);
}
