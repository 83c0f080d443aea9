/** Modems on a TCP port: each connection gets one of its own. */
import { createServer, type Socket } from "node:net";
import { attachModem, type ModemMaker } from "./stream-door.ts";

export interface TcpDoorOptions {
  /** Default 127.0.0.1: whoever reaches the port can use the modem's certificates. */
  host?: string;
  /** 0 is any free one. */
  port: number;
  /** @param slot the lowest number that no other connection has, from 0 */
  create(slot: number): ModemMaker;
  /** A modem could not be made, e.g. because its storage is damaged; its host is cut off. */
  onFailure?(error: unknown): void;
  /** Further connections are closed at once. */
  modemsMax?: number;
  unreadBytesMax?: number;
}

export interface TcpDoor {
  host: string;
  port: number;
  close(): Promise<void>;
}

const tcpDoorDefaults = { host: "127.0.0.1", modemsMax: 64, unreadBytesMax: 4_194_304 } as const;

/** Rejects when the port cannot be had. */
export function listenForHosts(options: TcpDoorOptions): Promise<TcpDoor> {
  const { host, modemsMax, unreadBytesMax } = { ...tcpDoorDefaults, ...options };
  const sockets = new Map<number, Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const slot = Array.from({ length: modemsMax }, (_, number) => number).find((number) => !sockets.has(number));
    if (slot === undefined) {
      socket.destroy();
      return;
    }
    sockets.set(slot, socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(slot));
    try {
      attachModem({ input: socket, output: socket, create: options.create(slot), unreadBytesMax, whenUnread: "cut-off" });
    } catch (error) {
      socket.destroy();
      options.onFailure?.(error);
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, host, () => {
      server.off("error", reject);
      const address = server.address();
      resolve({
        host,
        port: typeof address === "object" && address !== null ? address.port : options.port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets.values()) socket.destroy();
          }),
      });
    });
  });
}
