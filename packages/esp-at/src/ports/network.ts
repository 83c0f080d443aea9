/** What the modem asks of the world's network. `node-network.ts` answers with Node's sockets. */
import type { Duplex } from "node:stream";

export interface TlsSettings {
  /** Sent as SNI unless it is an address, and what the certificate must be for. */
  serverName: string;
  alpn: readonly string[];
  /** PEM. Without it any certificate is taken. */
  ca?: Buffer;
  /** PEM, both or none. */
  cert?: Buffer;
  key?: Buffer;
  /** Whether the certificate must be for `serverName`. */
  checksName: boolean;
  /** Milliseconds since the epoch by the modem's own clock: certificates are judged by it. */
  now(): number;
}

export interface StreamTarget {
  host: string;
  port: number;
  family?: 4 | 6;
  tls?: TlsSettings;
  keepAliveSeconds?: number;
  timeoutMilliseconds: number;
}

interface StreamFacts {
  remoteAddress: string;
  remotePort: number;
  localPort: number;
}

export interface NetworkStream {
  /** Connected, and its handshake done. */
  stream: Duplex;
  facts: StreamFacts;
}

export interface Datagrams {
  localPort: number;
  send(bytes: Buffer, host: string, port: number): Promise<void>;
  close(): void;
}

/** The client's own certificate or key, or the CA, cannot be used. */
export class TlsMaterialError extends Error {}

/** The server's certificate is for another name. */
export class ServerNameError extends Error {}

export interface Network {
  /** Rejects when the peer cannot be reached, its certificate is refused, or with one of the errors above. */
  open(target: StreamTarget): Promise<NetworkStream>;
  bind(localPort: number, receive: (bytes: Buffer, address: string, port: number) => void): Promise<Datagrams>;
  lookup(host: string, family: 0 | 4 | 6): Promise<string[]>;
  /** Milliseconds until the host answers; rejects when it does not. */
  ping(host: string, port: number, timeoutMilliseconds: number): Promise<number>;
}
