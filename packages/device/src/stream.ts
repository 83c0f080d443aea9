import { connect as connectTcp, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { ResolvedOptions } from "./options.ts";

/** TLS settings for a server known under `host`: SNI and name check by name, none by bare address. */
export function tlsOptions(options: ResolvedOptions, host: string): ConnectionOptions {
  const name = options.serverName ?? host;
  return {
    rejectUnauthorized: options.verifyServer,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(options.ca === undefined ? {} : { ca: typeof options.ca === "string" ? options.ca : Buffer.from(options.ca) }),
  };
}

/** Opens the byte stream to the MQTT server. */
export function openStream(options: ResolvedOptions, host: string, port: number): Duplex {
  if (options.mode === "tcp") return connectTcp({ host, port, noDelay: true });
  const socket = connectTls({ host, port, ...tlsOptions(options, host) });
  socket.setNoDelay(true);
  return socket;
}
