import { isIP } from "node:net";
import { PlatformError } from "../errors/index.ts";

export interface ListenAddress {
  /** Absent: every address of the machine, IPv6 and IPv4. */
  host?: string;
  /** 0 = any free port. */
  port: number;
}

/**
 * Reads `[host:]port`; IPv6 hosts stand in brackets.
 *
 * @throws PlatformError `front_door.bad_listen_address`
 * @example parseListenAddress("[::1]:1883", "listen.device") // { host: "::1", port: 1883 }
 */
export function parseListenAddress(text: string, setting: string): ListenAddress {
  const trimmed = text.trim();
  const bad = () => new PlatformError("front_door.bad_listen_address", { setting, received: text });
  const parts = /^(?:(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([^[\]:\s]+)):)?(\d{1,5})$/.exec(trimmed);
  if (parts === null) throw bad();
  const [, ipv6, name, digits] = parts;
  const port = Number(digits);
  if (port > 65_535) throw bad();
  if (ipv6 !== undefined) {
    if (isIP(ipv6) !== 6) throw bad();
    return { host: ipv6, port };
  }
  if (name === undefined || name === "*") return { port };
  // Four numbers with dots that are no IPv4 address (1.2.3.400) would otherwise be looked up as a name.
  if (/^[\d.]+$/.test(name) && isIP(name) !== 4) throw bad();
  return { host: name, port };
}

/** `host:port` with IPv6 in brackets; the opposite of {@link parseListenAddress}. */
export function formatAddress(host: string | undefined, port: number): string {
  if (host === undefined) return String(port);
  return isIP(host.replace(/%.*$/, "")) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
