import type { Socket } from "node:net";
import { createServer, DEFAULT_CIPHERS, type Server, type TLSSocket } from "node:tls";
import type { ErrorDetails } from "../errors/index.ts";
import type { CertificateRequests } from "./certificate-requests.ts";
import type { Certificates, ServerIdentity } from "./certificates/index.ts";
import { type ClientHello, describeClientHello, parseClientHello } from "./client-hello.ts";
import type { FrontDoorLimits } from "./limits.ts";

/** TLS on device ports. */
export interface FrontDoorTls {
  /** Below TLS 1.2 only for the oldest stacks (axTLS, mbedTLS 1). */
  minVersion: "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";
  /**
   * Lets old TLS 1.2 clients in: CBC suites, also with RSA key exchange, without which the vendors' older SDKs cannot
   * connect (field notes), and clients that know SHA-1 signatures only (RFC 5246 7.4.1.4.1 assumes SHA-1 of a client that
   * names none). Newer clients still get the best that both sides know.
   */
  acceptsLegacyClients: boolean;
  /**
   * Whether to ask this client for a certificate. Never by default: old stacks may fail on the request alone. A certificate is
   * only recorded in the connection's facts, never required or verified here: the gatekeeper decides.
   */
  requestClientCertificate?: CertificateRequests;
}

export const defaultFrontDoorTls: FrontDoorTls = { minVersion: "TLSv1.2", acceptsLegacyClients: true };

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
/** OpenSSL refuses SHA-1 signatures, and with them TLS 1.0 and 1.1, above level 0; the list above names no weak cipher. */
const legacySecurityLevel = "@SECLEVEL=0";

function cipherString(tls: FrontDoorTls): string {
  const isOldVersion = tls.minVersion === "TLSv1" || tls.minVersion === "TLSv1.1";
  if (!tls.acceptsLegacyClients && !isOldVersion) return DEFAULT_CIPHERS;
  return [DEFAULT_CIPHERS, ...legacyCiphers, legacySecurityLevel].join(":");
}

/** In the order of our preference. `x-amzn-*`: AWS IoT names (AWS reference, protocols and ports). */
const alpnNames = ["x-amzn-mqtt-ca", "mqtt", "x-amzn-http-ca", "http/1.1", "http/1.0"];
/** Binds session tickets to this server, on whatever port and after a restart. */
const sessionIdContext = "thingstead";

interface TlsDoorOptions {
  certificates: Certificates;
  tls: FrontDoorTls;
  limits: FrontDoorLimits;
  secured(socket: TLSSocket): void;
  failed(socket: Socket, code: string, details: ErrorDetails): void;
}

interface TlsDoor {
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

/**
 * One tls.Server for every certificate choice, none of which listens. The choice by SNI is made here from the parsed
 * ClientHello and not by SNICallback: Node then takes over only the last certificate of a context, which would shut RSA
 * clients out as soon as they name the host.
 */
export function createTlsDoor(options: TlsDoorOptions): TlsDoor {
  const { certificates, limits, tls } = options;
  const servers = new Map<ServerIdentity, { plain?: Server; asking?: Server }>();
  const pending = new Map<string, PendingHandshake>();
  let isClosing = false;
  // Handshakes under way finish on the servers they began with.
  certificates.onRenewed(() => servers.clear());

  const serverFor = (hello: ClientHello | undefined, localPort: number): Server => {
    const identity = certificates.identityFor(hello?.serverName);
    const ofIdentity = servers.get(identity) ?? {};
    servers.set(identity, ofIdentity);
    const isAsked = tls.requestClientCertificate?.(hello, localPort) === true;
    if (isAsked) {
      ofIdentity.asking ??= createTlsServer(identity, true);
      return ofIdentity.asking;
    }
    ofIdentity.plain ??= createTlsServer(identity, false);
    return ofIdentity.plain;
  };
  const createTlsServer = (identity: ServerIdentity, requestCert: boolean): Server => {
    const server = createServer({
      minVersion: tls.minVersion,
      ciphers: cipherString(tls),
      honorCipherOrder: true,
      cert: [...identity.certificates],
      key: [...identity.keys],
      sessionIdContext,
      ticketKeys: certificates.ticketKeys(),
      handshakeTimeout: limits.handshakeMilliseconds,
      requestCert,
      rejectUnauthorized: false,
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
      serverFor(hello, socket.localPort ?? 0).emit("connection", socket);
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
