import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { type ResolvedOptions, tlsRecordBytesDefault } from "./options.ts";
import { RecordGuard } from "./record-guard.ts";

/** TLS settings for a server known under `host`: SNI and name check by name, none by bare address. */
function tlsOptions(options: ResolvedOptions, host: string): ConnectionOptions {
  const name = options.serverName ?? host;
  return {
    rejectUnauthorized: options.verifyServer,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(options.ca === undefined ? {} : { ca: typeof options.ca === "string" ? options.ca : Buffer.from(options.ca) }),
  };
}

export function openTcp(host: string, port: number): Socket {
  return connectTcp({ host, port, noDelay: true });
}

/** Opens a TLS connection as the options demand; for MQTT, authentication, registration and downloads alike. */
export function openTls(options: ResolvedOptions, host: string, port: number): TLSSocket {
  const settings = { host, port, ...tlsOptions(options, host) };
  if (options.tlsRecordBytesMax >= tlsRecordBytesDefault) return connectTls(settings);
  const socket = openTcp(host, port);
  return connectTls({ ...settings, socket: new RecordGuard(socket, `${host}:${port}`, options.tlsRecordBytesMax) });
}

/** Opens the byte stream to the MQTT server. */
export function openStream(options: ResolvedOptions, host: string, port: number): Duplex {
  if (options.mode === "tcp") return openTcp(host, port);
  const socket = openTls(options, host, port);
  socket.setNoDelay(true);
  return socket;
}
