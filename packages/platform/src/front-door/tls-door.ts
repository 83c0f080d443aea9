import type { Socket } from "node:net";
import { createSecureContext, createServer, DEFAULT_CIPHERS, type SecureContext, type TLSSocket } from "node:tls";
import type { ErrorDetails } from "../errors/index.ts";
import type { Certificates, ServerIdentity } from "./certificates/index.ts";
import { type ClientHello, describeClientHello, parseClientHello } from "./client-hello.ts";
import type { FrontDoorLimits } from "./limits.ts";

/** TLS on device ports. */
export interface FrontDoorTls {
  /** Below TLS 1.2 only for the oldest stacks (axTLS, mbedTLS 1): it also lowers OpenSSL's security level. */
  minVersion: "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";
  /** CBC suites, also with RSA key exchange, without which the vendors' older SDKs cannot connect (field notes). */
  hasLegacyCiphers: boolean;
  /**
   * Whether to ask this client for a certificate. Never by default: old stacks fail on the request alone. A certificate is
   * only recorded in the connection's facts, never required or verified here: the gatekeeper decides.
   */
  requestClientCertificate?: (hello: ClientHello) => boolean;
}

export const defaultFrontDoorTls: FrontDoorTls = { minVersion: "TLSv1.2", hasLegacyCiphers: true };

const legacyCiphers = [
  "ECDHE-RSA-AES256-SHA384",
  "ECDHE-RSA-AES128-SHA256",
  "ECDHE-RSA-AES256-SHA",
  "ECDHE-RSA-AES128-SHA",
  "AES256-GCM-SHA384",
  "AES128-GCM-SHA256",
  "AES256-SHA256",
  "AES128-SHA256",
  "AES256-SHA",
  "AES128-SHA",
];
/** Level 1 admits SHA-1 as MAC and RSA key exchange; TLS 1.0 and 1.1 sign with SHA-1 and need level 0. */
const securityLevels = { TLSv1: 0, "TLSv1.1": 0, "TLSv1.2": 1, "TLSv1.3": 1 };

/** In the order of our preference. `x-amzn-*`: AWS IoT names (AWS reference, protocols and ports). */
const alpnNames = ["x-amzn-mqtt-ca", "mqtt", "x-amzn-http-ca", "http/1.1", "http/1.0"];
/** Binds session tickets to this server, on whatever port and after a restart. */
const sessionIdContext = "thingstead";

export interface TlsDoorOptions {
  certificates: Certificates;
  tls: FrontDoorTls;
  limits: FrontDoorLimits;
  secured(socket: TLSSocket): void;
  failed(socket: Socket, code: string, details: ErrorDetails): void;
}

export interface TlsDoor {
  readonly pendingCount: number;
  /** Starts a handshake on a socket whose sniffed bytes (`record`) were put back. */
  accept(socket: Socket, record: Buffer): void;
  /** Cuts the handshakes that are under way. */
  close(): void;
}

interface PendingHandshake {
  key: string;
  socket: Socket;
  hello: ClientHello | undefined;
}

export function createTlsDoor(options: TlsDoorOptions): TlsDoor {
  const { certificates, limits, tls } = options;
  const base = {
    minVersion: tls.minVersion,
    sessionIdContext,
    ciphers: `${DEFAULT_CIPHERS}${tls.hasLegacyCiphers ? `:${legacyCiphers.join(":")}` : ""}:@SECLEVEL=${securityLevels[tls.minVersion]}`,
  };
  const contexts = new WeakMap<ServerIdentity, SecureContext>();
  const contextOf = (serverName: string | undefined): SecureContext => {
    const identity = certificates.identityFor(serverName);
    let context = contexts.get(identity);
    if (context === undefined) {
      context = createSecureContext({ ...base, cert: [...identity.certificates], key: [...identity.keys] });
      contexts.set(identity, context);
    }
    return context;
  };

  let isClosing = false;
  const pending = new Map<string, PendingHandshake>();
  const createTlsServer = (requestCert: boolean) => {
    const unnamed = certificates.identityFor(undefined);
    const server = createServer({
      ...base,
      cert: [...unnamed.certificates],
      key: [...unnamed.keys],
      ticketKeys: certificates.ticketKeys(),
      handshakeTimeout: limits.handshakeMilliseconds,
      honorCipherOrder: true,
      requestCert,
      rejectUnauthorized: false,
      SNICallback: (serverName, answer) => answer(null, contextOf(serverName)),
      // RFC 7301 3.2: a client that offers only names unknown here gets the alert no_application_protocol.
      ALPNCallback: ({ protocols }) => alpnNames.find((name) => protocols.includes(name)),
    });
    server.on("secureConnection", (socket) => {
      pending.delete(keyOf(socket));
      if (limits.tlsSendFragmentBytesMax < 16_384) socket.setMaxSendFragment(limits.tlsSendFragmentBytesMax);
      options.secured(socket);
    });
    server.on("tlsClientError", (error: Error & { code?: string; reason?: string }, socket) => {
      const entry = pending.get(keyOf(socket));
      socket.on("error", () => {});
      if (entry === undefined) socket.destroy();
      else fail(entry, error);
    });
    certificates.onRenewed(() => {
      const renewed = certificates.identityFor(undefined);
      server.setSecureContext({ ...base, cert: [...renewed.certificates], key: [...renewed.keys], honorCipherOrder: true });
      server.setTicketKeys(certificates.ticketKeys());
    });
    return server;
  };
  const fail = (entry: PendingHandshake, error: Error & { code?: string; reason?: string }): void => {
    pending.delete(entry.key);
    if (error.code === "ERR_TLS_HANDSHAKE_TIMEOUT") {
      options.failed(entry.socket, "front_door.tls_handshake_timeout", { milliseconds: limits.handshakeMilliseconds });
    } else {
      options.failed(entry.socket, "front_door.tls_handshake_failed", {
        reason: error.reason ?? error.message,
        received: describeClientHello(entry.hello),
        expected: `${tls.minVersion} or newer and a client that accepts the certificate`,
      });
    }
    entry.socket.destroy();
  };

  const plain = createTlsServer(false);
  const asking = tls.requestClientCertificate === undefined ? undefined : createTlsServer(true);

  return {
    get pendingCount() {
      return pending.size;
    },
    accept(socket, record) {
      const hello = parseClientHello(record);
      const key = keyOf(socket);
      pending.set(key, { key, socket, hello });
      socket.once("close", () => {
        const entry = pending.get(key);
        if (entry?.socket === socket && !isClosing) fail(entry, new Error("the client closed the connection"));
      });
      const isAsked = hello !== undefined && tls.requestClientCertificate?.(hello) === true;
      (isAsked && asking !== undefined ? asking : plain).emit("connection", socket);
    },
    close() {
      isClosing = true;
      for (const { socket } of pending.values()) socket.destroy();
    },
  };
}

/** tls.Server gives its own socket object; the four-tuple is what both have in common. */
function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
