/**
 * Sockets that read into one buffer shared by all of them.
 *
 * A plain socket gets a fresh 64 KiB slice for every read, of which a device's packet uses a hundred bytes: allocating and
 * collecting those costs more than handling the packet (1.3 times the request/ack throughput without them). Node offers a
 * buffer of one's own only to sockets that are built by hand, so the listening handle's accept callback is replaced: the one
 * private thing used here. Where it is missing, and where the switch is off, sockets are Node's and everything else is the same.
 * A connection begins as a {@link BareSocket} where Node allows it and becomes a socket when it turns out not to speak MQTT.
 */
import { type Server, Socket, type SocketConstructorOpts } from "node:net";
import type { Connection } from "@thingstead/mqtt";
import { type BareHandle, BareListener, BareSocket, isBareHandle, streamInside } from "./bare-socket.ts";

const readBufferBytes = 64 * 1024;

/** Gets the bytes of one read; they are valid during the call only. */
type ByteReceiver = Pick<Connection, "receive">;

/** Until a receiver is set it is an ordinary readable stream: what is read is copied and pushed. */
export class SharedReadSocket extends Socket {
  /** Gets what is read from now on in place of the stream. Unset on sockets that turn to TLS or HTTP. */
  receiver: ByteReceiver | undefined = undefined;
  readonly listenerPort: number | undefined;

  constructor(options: SocketConstructorOpts, buffer: Buffer, listenerPort: number | undefined) {
    super({
      ...options,
      onread: {
        buffer,
        callback: (bytes) => this === undefined || this.#take(bytes, buffer),
      },
    });
    this.listenerPort = listenerPort;
  }

  /** False pauses the socket. */
  #take(bytes: number, buffer: Buffer): boolean {
    const { receiver } = this;
    if (receiver === undefined) return this.push(Buffer.from(buffer.subarray(0, bytes)));
    receiver.receive(buffer, bytes);
    return true;
  }
}

interface AcceptingHandle {
  onconnection: (this: AcceptingHandle, status: number, handle: object | undefined) => void;
  setNoDelay?: unknown;
  setKeepAlive?: unknown;
}

function isAccepting(handle: unknown): handle is AcceptingHandle {
  return typeof handle === "object" && handle !== null && "onconnection" in handle && typeof handle.onconnection === "function";
}

export interface SharedReadOptions {
  keepAliveMilliseconds: number;
  /** Gets what is accepted where bare sockets work; elsewhere the server emits "connection" as ever. */
  accept(socket: BareSocket): void;
}

/** Applies to connections accepted from now on. False, and nothing changed, where Node's inside is not as expected. */
export function shareReadBuffer(server: Server, options: SharedReadOptions): boolean {
  const handle: unknown = "_handle" in server ? server._handle : undefined;
  if (!isAccepting(handle)) return false;
  const acceptAsNode = handle.onconnection;
  const buffer = Buffer.allocUnsafeSlow(readBufferBytes);
  const bound = server.address();
  const listenerPort = typeof bound === "object" ? bound?.port : undefined;
  const areOptionsInherited = setOptions(handle, options.keepAliveMilliseconds) && process.platform === "linux";
  const wrap = (accepted: unknown): Socket => {
    // Where Node's own accept puts it. The types know the option for another kind of handle only.
    const socketHandle = accepted as SocketConstructorOpts["handle"];
    const socket = new SharedReadSocket({ handle: socketHandle, readable: true, writable: true }, buffer, listenerPort);
    // It flows from the beginning: a stream that nobody reads does not see its end.
    return socket.resume();
  };
  const inside = isBareHandle(handle) ? streamInside() : undefined;
  const bareListener = inside === undefined ? undefined : new BareListener(inside, buffer, listenerPort, wrap);
  handle.onconnection = function acceptShared(status, accepted) {
    // Errors are told the way Node tells them.
    if (status !== 0 || accepted === undefined) {
      acceptAsNode.call(this, status, accepted);
      return;
    }
    if (!areOptionsInherited) setOptions(accepted, options.keepAliveMilliseconds);
    // What a listening handle accepts is of its own kind.
    if (bareListener !== undefined) options.accept(new BareSocket(accepted as BareHandle, bareListener));
    else server.emit("connection", wrap(accepted));
  };
  return true;
}

/**
 * Linux hands a listening socket's options on to those it accepts: five system calls less for each connection. Elsewhere
 * it is not promised. [tcp(7), socket(7)]
 */
function setOptions(handle: object, keepAliveMilliseconds: number): boolean {
  const { setNoDelay, setKeepAlive }: Partial<AcceptingHandle> = handle;
  if (typeof setNoDelay !== "function" || typeof setKeepAlive !== "function") return false;
  return setNoDelay.call(handle, true) === 0 && setKeepAlive.call(handle, true, Math.floor(keepAliveMilliseconds / 1000)) === 0;
}
