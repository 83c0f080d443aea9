/**
 * MQTT over plain TCP on Node's TCP handles themselves, without `net.Socket` and its streams around them.
 *
 * A short connection costs 52 to 63 us of CPU on a `net.Socket` that does nothing and 37 us on its handle; an open one
 * keeps kilobytes less. What is private here: the handle, whose methods are those `net.Socket` calls, and the request
 * classes and read counter of `process.binding("stream_wrap")`. Where any of it is missing or not as expected, connections
 * are ordinary sockets. Reads go to one buffer shared by all: a slice of its own for each would be 64 KiB.
 */
import type { Socket } from "node:net";
import type { Connection, Transport } from "@thingstead/mqtt";
import type { Deadlines } from "./deadlines.ts";

/** libuv's code for the peer's FIN. */
const endOfFile = -4095;

interface WriteRequest {
  handle?: BareHandle;
  /** Keeps the bytes alive until they are written. */
  buffer?: Uint8Array;
  oncomplete: (this: WriteRequest, status: number) => void;
}

export interface BareHandle {
  /** The wrapper that `onread` and the requests speak to. */
  bareSocket?: BareSocket | undefined;
  onread: (this: BareHandle) => void;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: object, bytes: Uint8Array): number;
  shutdown(request: object): number;
  close(done: (this: BareHandle) => void): void;
  getpeername(name: { address?: string; port?: number }): number;
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number;
}

const methods = ["useUserBuffer", "readStart", "readStop", "writeBuffer", "shutdown", "close", "getpeername"] as const;

/** Whether what listens is of the kind that it accepts: then the accepted have these methods too. */
export function isBareHandle(handle: unknown): handle is BareHandle {
  if (typeof handle !== "object" || handle === null || !("writeQueueSize" in handle)) return false;
  return methods.every((method) => typeof Reflect.get(handle, method) === "function");
}

/** What Node's C++ streams share with its JavaScript. */
export interface StreamInside {
  WriteWrap: new () => WriteRequest;
  ShutdownWrap: new () => WriteRequest;
  /** Numbers about the call that just returned or is being made. */
  streamBaseState: ArrayLike<number>;
  kReadBytesOrError: number;
  kLastWriteWasAsync: number;
}

/** Undefined where Node has it no more or does not permit it. */
export function streamInside(): StreamInside | undefined {
  const binding: unknown = Reflect.get(process, "binding");
  if (typeof binding !== "function") return undefined;
  try {
    const inside: unknown = binding.call(process, "stream_wrap");
    return isStreamInside(inside) ? inside : undefined;
  } catch {
    return undefined;
  }
}

function isStreamInside(inside: unknown): inside is StreamInside {
  if (typeof inside !== "object" || inside === null) return false;
  const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync }: Partial<StreamInside> = inside;
  const areCounters = typeof kReadBytesOrError === "number" && typeof kLastWriteWasAsync === "number";
  return typeof WriteWrap === "function" && typeof ShutdownWrap === "function" && ArrayBuffer.isView(streamBaseState) && areCounters;
}

/** What all sockets of one listener have in common. */
export class BareListener {
  readonly readBuffer: Buffer;
  readonly port: number | undefined;
  readonly #inside: StreamInside;
  readonly #wrap: (handle: BareHandle) => Socket;
  /** Used again for every write that the kernel takes at once, which is nearly all. */
  #spare: WriteRequest | undefined;

  /** @param wrap makes an ordinary socket on the handle: what is not MQTT needs its streams */
  constructor(inside: StreamInside, readBuffer: Buffer, port: number | undefined, wrap: (handle: BareHandle) => Socket) {
    this.#inside = inside;
    this.readBuffer = readBuffer;
    this.port = port;
    this.#wrap = wrap;
  }

  /** Of the read that is being told: negative for an error. */
  get bytesRead(): number {
    return this.#inside.streamBaseState[this.#inside.kReadBytesOrError] ?? 0;
  }

  /** `later`: the kernel did not take everything; `completed` is called with a status. */
  write(handle: BareHandle, bytes: Uint8Array, completed: WriteRequest["oncomplete"]): "written" | "later" | "failed" {
    const request = this.#spare ?? new this.#inside.WriteWrap();
    this.#spare = request;
    if (handle.writeBuffer(request, bytes) !== 0) return "failed";
    if (this.#inside.streamBaseState[this.#inside.kLastWriteWasAsync] === 0) return "written";
    this.#spare = undefined;
    request.handle = handle;
    request.buffer = bytes;
    request.oncomplete = completed;
    return "later";
  }

  /** Sends FIN after everything written. */
  shutdown(handle: BareHandle, completed: WriteRequest["oncomplete"]): boolean {
    const request = new this.#inside.ShutdownWrap();
    request.handle = handle;
    request.oncomplete = completed;
    return handle.shutdown(request) === 0;
  }

  wrap(handle: BareHandle): Socket {
    return this.#wrap(handle);
  }
}

type CarriedConnection = Pick<Connection, "receive" | "drained" | "closed">;

/** One accepted TCP connection, read from the beginning. Whoever wants its bytes sets `read`, then calls `carry`. */
export class BareSocket implements Transport {
  readonly #handle: BareHandle;
  readonly #listener: BareListener;
  readonly #peer: { address?: string; port?: number } = {};
  /** `ending`: nothing more is written. `released`: an ordinary socket has the handle. */
  #phase: "open" | "ending" | "destroyed" | "released" = "open";
  #isReading = false;
  /** Its FIN came. */
  #isPeerDone = false;
  #pendingWrites = 0;
  #connection: CarriedConnection | undefined;
  #graces: Deadlines<{ destroy(): void }> | undefined;
  #successor: Socket | undefined;
  #closeListeners: (() => void)[] = [];
  /** Gets what comes before a connection is carried, in memory of its own. */
  read: ((bytes: Buffer) => void) | undefined = undefined;

  constructor(handle: BareHandle, listener: BareListener) {
    this.#handle = handle;
    this.#listener = listener;
    handle.getpeername(this.#peer);
    handle.bareSocket = this;
    handle.onread = BareSocket.#onRead;
    handle.useUserBuffer(listener.readBuffer);
    this.resume();
  }

  // One function each for all sockets. Node calls them with the handle or the request as `this`.
  static readonly #onRead = function (this: BareHandle): void {
    const { bareSocket } = this;
    if (bareSocket !== undefined) bareSocket.#take();
  };
  static readonly #onWritten = function (this: WriteRequest, status: number): void {
    const bareSocket = this.handle?.bareSocket;
    if (bareSocket !== undefined) bareSocket.#written(status);
  };
  static readonly #onShutDown = function (this: WriteRequest, status: number): void {
    if (status !== 0) this.handle?.bareSocket?.destroy();
  };
  static readonly #onClosed = function (this: BareHandle): void {
    const { bareSocket } = this;
    if (bareSocket !== undefined) bareSocket.#closed();
  };

  get remoteAddress(): string | undefined {
    return this.#peer.address;
  }

  get remotePort(): number | undefined {
    return this.#peer.port;
  }

  get localPort(): number | undefined {
    return this.#listener.port;
  }

  get bufferedBytes(): number {
    return this.#pendingWrites === 0 || this.#phase === "destroyed" ? 0 : this.#handle.writeQueueSize;
  }

  /** From now on everything goes to `connection`; `graces` cuts peers that do not answer our end. */
  carry(connection: CarriedConnection, graces: Deadlines<{ destroy(): void }>): void {
    this.#connection = connection;
    this.#graces = graces;
    this.read = undefined;
  }

  /** Gives the handle to an ordinary socket. This one then only stands for it: `destroy` and "close" still work. */
  release(): Socket {
    this.pause();
    this.#phase = "released";
    this.#handle.bareSocket = undefined;
    this.read = undefined;
    const socket = this.#listener.wrap(this.#handle);
    this.#successor = socket;
    socket.once("close", () => this.#closed());
    return socket;
  }

  write(bytes: Uint8Array): void {
    if (this.#phase !== "open") return;
    const outcome = this.#listener.write(this.#handle, bytes, BareSocket.#onWritten);
    if (outcome === "later") this.#pendingWrites++;
    else if (outcome === "failed") this.destroy();
  }

  pause(): void {
    if (!this.#isReading || this.#isOver) return;
    this.#isReading = false;
    this.#handle.readStop();
  }

  resume(): void {
    if (this.#isReading || this.#isPeerDone || this.#isOver) return;
    this.#isReading = true;
    if (this.#handle.readStart() !== 0) this.destroy();
  }

  end(isPeerDone = false): void {
    if (this.#phase !== "open") return;
    // The kernel has everything and the peer wants nothing more: half-closing and waiting for its FIN cost a tenth of a connect.
    if ((isPeerDone || this.#isPeerDone) && this.#pendingWrites === 0) {
      this.destroy();
      return;
    }
    this.#phase = "ending";
    // A peer that reads nothing or never answers the FIN would keep the socket for ever.
    this.#graces?.start(this);
    if (!this.#listener.shutdown(this.#handle, BareSocket.#onShutDown)) this.destroy();
    // While paused the peer's FIN is not seen.
    this.resume();
  }

  /** Closes at once; "close" is told later, never during the call. */
  destroy(): void {
    if (this.#phase === "released") {
      this.#successor?.destroy();
      return;
    }
    if (this.#phase === "destroyed") return;
    this.#phase = "destroyed";
    this.read = undefined;
    this.#handle.close(BareSocket.#onClosed);
  }

  once(_event: "close", listener: () => void): void {
    this.#closeListeners.push(listener);
  }

  off(_event: "close", listener: () => void): void {
    const index = this.#closeListeners.indexOf(listener);
    if (index >= 0) this.#closeListeners.splice(index, 1);
  }

  get #isOver(): boolean {
    return this.#phase === "destroyed" || this.#phase === "released";
  }

  #take(): void {
    if (this.#isOver) return;
    const { bytesRead, readBuffer } = this.#listener;
    if (bytesRead > 0) {
      if (this.#connection !== undefined) this.#connection.receive(readBuffer, bytesRead);
      else this.read?.(Buffer.from(readBuffer.subarray(0, bytesRead)));
    } else if (bytesRead === endOfFile) this.#hearEnd();
    else if (bytesRead < 0) this.destroy();
  }

  /** What was collected for the peer until now is still sent to it. */
  #hearEnd(): void {
    this.#isReading = false;
    this.#isPeerDone = true;
    this.#leave();
    if (this.#phase === "open") this.end();
    else if (this.#pendingWrites === 0) this.destroy();
  }

  #written(status: number): void {
    this.#pendingWrites--;
    if (this.#isOver) return;
    if (status !== 0) this.destroy();
    else if (this.#pendingWrites > 0) return;
    else if (this.#phase === "ending" && this.#isPeerDone) this.destroy();
    else this.#connection?.drained();
  }

  #leave(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.closed();
  }

  #closed(): void {
    this.#graces?.stop(this);
    this.#leave();
    const listeners = this.#closeListeners;
    this.#closeListeners = [];
    for (const listener of listeners) listener();
  }
}
