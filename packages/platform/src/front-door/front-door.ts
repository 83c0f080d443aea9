import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Broker } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import type { ErrorDetails } from "../errors/index.ts";
import { BareSocket } from "./bare-socket.ts";
import type { Certificates } from "./certificates/index.ts";
import { connectionFacts, plainAddress } from "./connection-facts.ts";
import { Deadlines } from "./deadlines.ts";
import type { DeviceHttpHandler } from "./device-http/device-http.ts";
import { createHttpDoor } from "./device-http/http-door.ts";
import type { FrontDoorLimits } from "./limits.ts";
import { openListeners } from "./listeners.ts";
import { RefusalLog } from "./refusal-log.ts";
import { showBytes, sniffExpectation, sniffProtocol } from "./sniff.ts";
import { carryMqtt, type Graces, readFirstBytes } from "./socket-transport.ts";
import { createTlsDoor, defaultFrontDoorTls, type FrontDoorTls } from "./tls-door.ts";
import { createWebSocketDoor } from "./websocket-door.ts";

export interface FrontDoorOptions {
  broker: Pick<Broker, "accept">;
  deviceHttp: DeviceHttpHandler;
  certificates: Certificates;
  /** Entries `[host:]port`; IPv6 in brackets; port 0 = any free one. */
  listen: readonly string[];
  clock: Clock;
  deviceLog: Pick<DeviceLog, "write">;
  limits: FrontDoorLimits;
  tls?: FrontDoorTls;
  /** An error that no peer caused: logged by the caller, the connection is closed, the server goes on. */
  onBug?: (error: unknown) => void;
}

interface FrontDoorStatistics {
  /** Open sockets, whatever they speak. */
  connections: number;
  /** TLS handshakes under way. */
  tlsPending: number;
  /** Sockets ever accepted. */
  accepted: number;
  /** Connections turned away, by code. */
  refused: Readonly<Record<string, number>>;
}

export interface FrontDoor {
  /** Bound `host:port` of every entry of `listen`. */
  readonly addresses: readonly string[];
  statistics(): FrontDoorStatistics;
  /**
   * Stops accepting, ends what has not begun to speak, lets HTTP requests finish and waits for the engine to close its
   * connections (call `Broker.close()` beside it); after `drainMilliseconds` everything left is cut.
   */
  close(drainMilliseconds: number): Promise<void>;
}

/** A connection before its protocol is known, and MQTT's after. */
type DoorSocket = Socket | BareSocket;

const setting = "listen.device";

/**
 * Opens the device ports. Each accepts MQTT, WebSocket and HTTP, plain or in TLS, told apart by the first bytes.
 *
 * @throws PlatformError as {@link openListeners}
 */
export async function openFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const { broker, clock, limits } = options;
  const tls = options.tls ?? defaultFrontDoorTls;
  const onBug = options.onBug ?? (() => {});
  const refusals = new RefusalLog({ ...options, refusalsLoggedPerMinuteMax: limits.refusalsLoggedPerMinuteMax });
  const sockets = new Set<DoorSocket>();
  const graces: Graces = new Deadlines(clock, limits.closeGraceMilliseconds, (socket) => socket.destroy());
  const firstBytes = new Deadlines<() => void>(clock, limits.firstByteMilliseconds, (miss) => miss());
  /** Sockets that have not shown their protocol yet: nothing is lost when they are cut. */
  const undecided = new Set<DoorSocket>();
  const countByAddress = new Map<string, number>();
  let accepted = 0;
  let isClosing = false;

  const refuse = (socket: Pick<DoorSocket, "remoteAddress">, code: string, details: ErrorDetails): void => {
    refusals.write({ code, details, remoteAddress: plainAddress(socket) });
  };
  const cut = (socket: DoorSocket, code: string, details: ErrorDetails): void => {
    refuse(socket, code, details);
    socket.destroy();
  };

  const tlsDoor = createTlsDoor({
    certificates: options.certificates,
    tls,
    limits,
    secured: (socket) => sniff(socket),
    failed: refuse,
  });
  // Node's HTTP server speaks of a Duplex; it is the socket handed to it.
  const httpDoor = createHttpDoor({
    handler: options.deviceHttp,
    clock,
    limits,
    onBug,
    factsOf(stream) {
      const { remoteAddress, tls: tlsFacts } = connectionFacts(stream as Socket, "tcp");
      const { serverName, clientCertificate } = tlsFacts ?? {};
      return {
        remoteAddress,
        isSecure: tlsFacts !== undefined,
        ...(serverName === undefined ? {} : { serverName }),
        ...(clientCertificate === undefined ? {} : { clientCertificate }),
      };
    },
    upgrade: (request, socket, head) => webSocketDoor.upgrade(request, socket, head),
    refuse: (stream, code, details) => refuse(stream as Socket, code, details),
  });
  const webSocketDoor = createWebSocketDoor({
    clock,
    messageBytesMax: limits.webSocketMessageBytesMax,
    closeGraceMilliseconds: limits.closeGraceMilliseconds,
    accept: (transport, request) => {
      const upgrade = { target: request.url ?? "/", headers: request.headers };
      return broker.accept(transport, { ...connectionFacts(request.socket, "websocket"), upgrade });
    },
    refuse: (request, code, details) => refuse(request.socket, code, details),
    answer: httpDoor.answerRaw,
  });

  const handOver = (sniffed: DoorSocket, first: Buffer, protocol: "tls" | "mqtt" | "http"): void => {
    if (protocol === "mqtt") {
      carryMqtt(sniffed, first, broker, graces);
      return;
    }
    const socket = sniffed instanceof BareSocket ? sniffed.release() : sniffed;
    if (sniffed instanceof BareSocket) hearErrors(socket);
    // The next owner reads the stream from its beginning.
    socket.pause();
    socket.unshift(first);
    if (protocol === "http") {
      httpDoor.accept(socket);
    } else if (tlsDoor.pendingCount >= limits.tlsPendingMax) {
      cut(socket, "front_door.too_many_handshakes", { received: tlsDoor.pendingCount, expected: limits.tlsPendingMax });
    } else {
      tlsDoor.accept(socket, first);
    }
  };

  /** Apart from `sniff`: what listens as long as the socket lives would keep its timer and its first bytes, 0.5 KiB a connection. */
  const hearAlert = (socket: TLSSocket): void => {
    socket.on("error", (error: Error & { reason?: string }) => {
      // In TLS 1.3 the server is done before the client has checked the certificate: its alert comes only now.
      if (!undecided.has(socket) || error.reason === undefined) return;
      refuse(socket, "front_door.tls_handshake_failed", { reason: error.reason, ...afterHandshake });
    });
  };

  /** Reads until the protocol shows; used on accept and again inside TLS. */
  const sniff = (socket: DoorSocket): void => {
    undecided.add(socket);
    if (socket instanceof TLSSocket) hearAlert(socket);
    let seen: Buffer = Buffer.alloc(0);
    const stop = (): void => {
      firstBytes.stop(miss);
      undecided.delete(socket);
      stopReading();
      socket.off("close", stop);
    };
    const miss = (): void => {
      stop();
      const received = showBytes(seen, limits.refusalBytesShownMax);
      cut(socket, "front_door.first_byte_timeout", { milliseconds: limits.firstByteMilliseconds, received, expected: sniffExpectation });
    };
    firstBytes.start(miss);
    const read = (chunk: Buffer): void => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const protocol = sniffProtocol(seen);
      if (protocol === "more") return;
      stop();
      // TLS inside TLS is nobody's protocol.
      if (protocol === "unknown" || (protocol === "tls" && socket instanceof TLSSocket)) {
        const received = showBytes(seen, limits.refusalBytesShownMax);
        cut(socket, "front_door.unknown_protocol", { received, expected: sniffExpectation });
        return;
      }
      try {
        handOver(socket, seen, protocol);
      } catch (error) {
        onBug(error);
        socket.destroy();
      }
    };
    const stopReading = readFirstBytes(socket, read);
    socket.once("close", stop);
  };

  const accept = (socket: DoorSocket): void => {
    if (!(socket instanceof BareSocket)) hearErrors(socket);
    const address = plainAddress(socket);
    const ofAddress = (countByAddress.get(address) ?? 0) + 1;
    accepted++;
    if (isClosing) {
      socket.destroy();
    } else if (sockets.size >= limits.connectionsMax) {
      cut(socket, "front_door.too_many_connections", { received: sockets.size, expected: limits.connectionsMax });
    } else if (ofAddress > limits.connectionsPerAddressMax) {
      const details = { address, received: ofAddress - 1, expected: limits.connectionsPerAddressMax };
      cut(socket, "front_door.too_many_connections_of_address", details);
    } else {
      sockets.add(socket);
      countByAddress.set(address, ofAddress);
      socket.once("close", () => {
        sockets.delete(socket);
        const left = (countByAddress.get(address) ?? 1) - 1;
        if (left > 0) countByAddress.set(address, left);
        else countByAddress.delete(address);
      });
      sniff(socket);
    }
  };

  const listeners = await openListeners({ ...limits, listen: options.listen, setting, accept, onError: onBug });
  return {
    addresses: listeners.addresses,
    statistics: () => ({
      connections: sockets.size,
      tlsPending: tlsDoor.pendingCount,
      accepted,
      refused: Object.fromEntries(refusals.counts),
    }),
    async close(drainMilliseconds) {
      isClosing = true;
      listeners.close();
      for (const socket of undecided) socket.destroy();
      tlsDoor.close();
      httpDoor.close();
      await drain(sockets, clock, drainMilliseconds);
      firstBytes.close();
      graces.close();
    },
  };
}

const afterHandshake = { received: "an alert after the handshake", expected: "a client that trusts this server's CA (ca.crt)" };

/** "close" follows every socket error and does the work; without a listener the error would end the process. */
function hearErrors(socket: Socket): void {
  socket.on("error", ignoreError);
}

function ignoreError(): void {}

/** Resolves when all sockets are closed; cuts them after `milliseconds`. */
function drain(sockets: ReadonlySet<DoorSocket>, clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    let open = sockets.size;
    if (open === 0) {
      resolve();
      return;
    }
    const cancel = clock.after(milliseconds, () => {
      for (const socket of sockets) socket.destroy();
    });
    for (const socket of sockets) {
      socket.once("close", () => {
        open--;
        if (open > 0) return;
        cancel();
        resolve();
      });
    }
  });
}
