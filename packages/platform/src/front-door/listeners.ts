import { createServer, type Server, type Socket } from "node:net";
import { PlatformError } from "../errors/index.ts";
import type { BareSocket } from "./bare-socket.ts";
import { formatAddress, type ListenAddress, parseListenAddress } from "./listen-address.ts";
import { shareReadBuffer } from "./shared-read.ts";

const codesOfFailure: Readonly<Record<string, string>> = {
  EADDRINUSE: "front_door.address_in_use",
  EACCES: "front_door.address_not_permitted",
  EPERM: "front_door.address_not_permitted",
  EADDRNOTAVAIL: "front_door.address_not_available",
  ENOTFOUND: "front_door.address_not_available",
  EAI_AGAIN: "front_door.address_not_available",
};

interface Listeners {
  /** Bound `host:port`, in the order of the setting. */
  readonly addresses: readonly string[];
  /** Stops accepting; open connections stay. */
  close(): void;
}

/**
 * Binds every address of the setting or none.
 *
 * @throws PlatformError `front_door.bad_listen_address`, `front_door.no_listen_address`, `front_door.address_in_use`,
 *   `front_door.address_not_permitted`, `front_door.address_not_available`, `front_door.listen_failed`
 */
export async function openListeners(options: {
  listen: readonly string[];
  setting: string;
  backlogMax: number;
  tcpKeepAliveMilliseconds: number;
  sharedReadBuffer: boolean;
  accept: (socket: Socket | BareSocket) => void;
  /** A listening socket that broke later, or one accept that failed (out of file descriptors). */
  onError: (error: Error) => void;
}): Promise<Listeners> {
  const wanted = options.listen.map((text) => parseListenAddress(text, options.setting));
  if (wanted.length === 0) throw new PlatformError("front_door.no_listen_address", { setting: options.setting });
  const servers: Server[] = [];
  const close = (): void => {
    for (const server of servers) server.close();
  };
  try {
    for (const address of wanted) {
      const server = createServer(
        { noDelay: true, keepAlive: true, keepAliveInitialDelay: options.tcpKeepAliveMilliseconds },
        options.accept,
      );
      await listen(server, address, options);
      if (options.sharedReadBuffer) shareReadBuffer(server, { ...options, keepAliveMilliseconds: options.tcpKeepAliveMilliseconds });
      server.on("error", options.onError);
      servers.push(server);
    }
  } catch (error) {
    close();
    throw error;
  }
  return { addresses: servers.map(boundAddress), close };
}

function listen(server: Server, address: ListenAddress, options: { setting: string; backlogMax: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const details = { address: formatAddress(address.host, address.port), setting: options.setting, reason: error.message };
      reject(new PlatformError(codesOfFailure[error.code ?? ""] ?? "front_door.listen_failed", details, { cause: error }));
    };
    server.once("error", onError);
    server.listen({ ...address, backlog: options.backlogMax }, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

function boundAddress(server: Server): string {
  const bound = server.address();
  return bound === null || typeof bound === "string" ? String(bound) : formatAddress(bound.address, bound.port);
}
