import type { Socket } from "node:net";
import { type DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { ConnectionFacts } from "@thingstead/mqtt";
import type { BareSocket } from "./bare-socket.ts";
import { SharedReadSocket } from "./shared-read.ts";

/** IPv4 as IPv4, also on a socket that listens for both families (`::ffff:1.2.3.4`). */
export function plainAddress(socket: { readonly remoteAddress?: string | undefined }): string {
  return (socket.remoteAddress ?? "unknown").replace(/^::ffff:(?=\d+\.)/i, "");
}

/** What is known of a connection before its first packet. */
export function connectionFacts(socket: Socket | BareSocket, carrier: ConnectionFacts["carrier"]): ConnectionFacts {
  const facts: ConnectionFacts = {
    remoteAddress: plainAddress(socket),
    remotePort: socket.remotePort ?? 0,
    localPort: localPortOf(socket),
    carrier,
  };
  return socket instanceof TLSSocket ? { ...facts, tls: tlsFacts(socket) } : facts;
}

/** Of one's own sockets the listener knows it: a system call less for each connection. */
function localPortOf(socket: Socket | BareSocket): number {
  return (socket instanceof SharedReadSocket ? socket.listenerPort : socket.localPort) ?? 0;
}

function tlsFacts(socket: TLSSocket): NonNullable<ConnectionFacts["tls"]> {
  const facts: NonNullable<ConnectionFacts["tls"]> = {
    version: socket.getProtocol() ?? "unknown",
    cipher: socket.getCipher()?.name ?? "unknown",
  };
  const serverName = "servername" in socket ? socket.servername : undefined;
  if (typeof serverName === "string" && serverName !== "") facts.serverName = serverName.toLowerCase();
  if (typeof socket.alpnProtocol === "string") facts.alpn = socket.alpnProtocol;
  const certificate = socket.getPeerX509Certificate();
  if (certificate !== undefined) {
    facts.clientCertificate = {
      fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
      subject: certificate.subject,
      isAuthorized: socket.authorized,
      chain: () => chainOf(socket),
    };
  }
  return facts;
}

const chainCertificatesMax = 10;

/** Leaf first. Only for who asks: parsing the whole chain costs more than the rest of the facts. */
function chainOf(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < chainCertificatesMax) {
    chain.push(certificate.raw);
    // A root is its own issuer.
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}
