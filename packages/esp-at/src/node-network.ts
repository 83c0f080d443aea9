/** The network by Node's sockets. */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, createSecureContext, type PeerCertificate, type TLSSocket } from "node:tls";
import type { Clock } from "./clock.ts";
import {
  type Datagrams,
  type Network,
  type NetworkStream,
  ServerNameError,
  type StreamTarget,
  TlsMaterialError,
  type TlsSettings,
} from "./ports/network.ts";

export function createNodeNetwork(clock: Clock): Network {
  return { ...unhurried, open: (target) => open(target, clock), ping: (host, port, milliseconds) => ping(host, port, milliseconds, clock) };
}

async function open(target: StreamTarget, clock: Clock): Promise<NetworkStream> {
  const socket = target.tls === undefined ? openTcp(target) : openTls(target, target.tls);
  await opened(socket, target.tls === undefined ? "connect" : "secureConnect", target.timeoutMilliseconds, clock);
  const { remoteAddress = target.host, remotePort = target.port, localPort = 0 } = socket;
  return { stream: socket, facts: { remoteAddress: remoteAddress.replace(/^::ffff:/, ""), remotePort, localPort } };
}

/** What needs no time limit of ours. */
const unhurried: Pick<Network, "bind" | "lookup"> = {
  bind(localPort, receive) {
    return new Promise<Datagrams>((resolve, reject) => {
      const socket = createSocket("udp4");
      socket.once("error", reject);
      socket.on("message", (bytes, { address, port }) => receive(bytes, address, port));
      socket.bind(localPort, () => {
        socket.off("error", reject);
        socket.on("error", () => {});
        resolve({
          localPort: socket.address().port,
          send: (bytes, host, port) =>
            new Promise((sent, failed) => socket.send(bytes, port, host, (error) => (error === null ? sent() : failed(error)))),
          close: () => socket.close(),
        });
      });
    });
  },
  async lookup(host, family) {
    const addresses = await lookup(host, { all: true, family });
    return addresses.map(({ address }) => address);
  },
};

/** Without raw sockets an answer is one to a TCP handshake: taken or refused, the host is there. */
function ping(host: string, port: number, timeoutMilliseconds: number, clock: Clock): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const socket = connectTcp({ host, port });
    const cancel = clock.after(timeoutMilliseconds, () => socket.destroy(new Error("no answer")));
    const answered = () => {
      socket.destroy();
      resolve(Math.round(performance.now() - start));
    };
    socket.once("connect", answered);
    socket.once("error", (error) => ("code" in error && error.code === "ECONNREFUSED" ? answered() : reject(error)));
    socket.once("close", cancel);
  });
}

function openTcp({ host, port, family, keepAliveSeconds }: StreamTarget): Socket {
  return connectTcp({
    host,
    port,
    noDelay: true,
    ...(family === undefined ? {} : { family }),
    ...(keepAliveSeconds === undefined || keepAliveSeconds === 0
      ? {}
      : { keepAlive: true, keepAliveInitialDelay: keepAliveSeconds * 1000 }),
  });
}

function openTls(target: StreamTarget, tls: TlsSettings): TLSSocket {
  const { ca, cert, key, serverName } = tls;
  let secureContext: ReturnType<typeof createSecureContext>;
  try {
    secureContext = createSecureContext({
      // As the hardware's: what a client certificate is refused for shows in the handshake, not after it.
      maxVersion: "TLSv1.2",
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
  } catch (error) {
    throw new TlsMaterialError(error instanceof Error ? error.message : String(error));
  }
  return connectTls({
    socket: openTcp(target),
    secureContext,
    rejectUnauthorized: ca !== undefined,
    ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_name, certificate) =>
      (tls.checksName ? checkName(serverName, certificate) : undefined) ?? checkDates(certificate, tls.now()),
  });
}

function checkName(serverName: string, certificate: PeerCertificate): Error | undefined {
  const error = checkServerIdentity(serverName, certificate);
  return error === undefined ? undefined : new ServerNameError(error.message);
}

/** Node judged the dates by the computer's clock; the modem's may be in 1970. */
function checkDates(certificate: PeerCertificate, now: number): Error | undefined {
  if (now >= Date.parse(certificate.valid_from) && now <= Date.parse(certificate.valid_to)) return undefined;
  const period = `${certificate.valid_from} to ${certificate.valid_to}`;
  return new Error(`the certificate is valid from ${period}; the modem's clock says ${new Date(now).toISOString()}`);
}

/** A failure destroys the socket. */
function opened(socket: Socket, event: "connect" | "secureConnect", timeoutMilliseconds: number, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      cancel();
      socket.destroy();
      reject(error);
    };
    const cancel = clock.after(timeoutMilliseconds, () => fail(new Error(`not within ${timeoutMilliseconds} ms`)));
    const closed = () => fail(new Error("closed by the peer"));
    // Stays: whoever uses the stream later learns of its end by "close".
    socket.on("error", fail);
    socket.once("close", closed);
    socket.once(event, () => {
      cancel();
      socket.off("close", closed);
      resolve();
    });
  });
}
