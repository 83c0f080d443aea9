import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Connection, Transport } from "@thingstead/mqtt";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../clock.ts";
import type { ErrorDetails } from "../errors/index.ts";
import { PacketFrames } from "./packet-frames.ts";

/** Sub-protocol names of MQTT 3.1.1/5.0 and of MQTT 3.1, in our order of preference ([MQTT-6.0.0-4]). */
const subProtocols = ["mqtt", "mqttv3.1"];
const unsupportedData = 1003;
/** What the library says of a stream that ended without a Close frame. */
const noCloseFrame = 1006;

/** The WebSocket half of the front door: MQTT in binary frames, on any path, one packet a message. */
interface WebSocketDoor {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

interface WebSocketDoorOptions {
  clock: Clock;
  messageBytesMax: number;
  closeGraceMilliseconds: number;
  /** Hands the byte stream to the engine. */
  accept(transport: Transport, request: IncomingMessage): Connection;
  refuse(request: IncomingMessage, code: string, details: ErrorDetails): void;
  /** Sends an HTTP answer on the raw socket and closes it. */
  answer(socket: Duplex, code: string, details: ErrorDetails): void;
}

class WebSocketTransport implements Transport {
  #webSocket: WebSocket;
  #socket: Duplex;
  #options: WebSocketDoorOptions;
  #frames = new PacketFrames();

  constructor(webSocket: WebSocket, socket: Duplex, options: WebSocketDoorOptions) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#options = options;
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  write(bytes: Uint8Array): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    // Many frames, still one write to the socket.
    this.#socket.cork();
    for (const piece of this.#frames.cut(bytes)) this.#webSocket.send(piece.bytes, { binary: true, fin: piece.isLast });
    this.#socket.uncork();
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  end(): void {
    this.#webSocket.close(1000);
    const cancel = this.#options.clock.after(this.#options.closeGraceMilliseconds, () => this.#webSocket.terminate());
    this.#webSocket.once("close", cancel);
    // A paused stream would never see the peer's close frame.
    this.#webSocket.resume();
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}

export function createWebSocketDoor(options: WebSocketDoorOptions): WebSocketDoor {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.messageBytesMax,
    handleProtocols: (offered) => subProtocols.find((name) => offered.has(name)) ?? false,
  });
  // ws answers a bad upgrade itself without this listener, with nothing in the device log.
  server.on("wsClientError", (error, socket, request) => {
    const details = { reason: error.message };
    options.refuse(request, "front_door.websocket_broken", details);
    options.answer(socket, "front_door.websocket_broken", details);
  });

  return {
    upgrade(request, socket, head) {
      const offered = parseSubProtocols(request);
      // Clients that name no sub-protocol are let in: there is nothing else they could mean here.
      if (offered.length > 0 && !offered.some((name) => subProtocols.includes(name))) {
        const details = { received: offered.join(", ").slice(0, 200), expected: subProtocols.join(" or ") };
        options.refuse(request, "front_door.websocket_protocol_unknown", details);
        options.answer(socket, "front_door.websocket_protocol_unknown", details);
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => carry(webSocket, socket, request, options));
    },
  };
}

function parseSubProtocols(request: IncomingMessage): string[] {
  const header = request.headers["sec-websocket-protocol"] ?? "";
  return header
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function carry(webSocket: WebSocket, socket: Duplex, request: IncomingMessage, options: WebSocketDoorOptions): void {
  const connection = options.accept(new WebSocketTransport(webSocket, socket, options), request);
  let isBroken = false;
  webSocket.on("message", (data, isBinary) => {
    if (isBinary) {
      connection.receive(toBytes(data));
      return;
    }
    // [MQTT-6.0.0-1] A control packet in a frame that is not binary closes the connection.
    options.refuse(request, "front_door.websocket_text_frame", { received: "text frame", expected: "binary frame" });
    isBroken = true;
    webSocket.close(unsupportedData);
  });
  webSocket.on("error", (error) => {
    isBroken = true;
    options.refuse(request, "front_door.websocket_broken", { reason: error.message });
  });
  webSocket.once("close", (code) => connection.closed(!isBroken && code !== noCloseFrame));
  socket.on("drain", () => connection.drained());
}

function toBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
