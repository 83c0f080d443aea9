/** The network as it is reached through the station: by mapped names, at the link's speed, and gone when the Wi-Fi is. */
import type { Duplex } from "node:stream";
import { type Clock, pause } from "./clock.ts";
import type { ModemFaults } from "./faults.ts";
import type { Datagrams, Network, NetworkStream, StreamTarget } from "./ports/network.ts";
import { SlowLink } from "./slow-link.ts";
import type { WifiStation } from "./wifi-station.ts";

/** Where a name leads: host alone, or host and port. */
export interface HostMapping {
  host: string;
  port?: number;
}

export type HostMap = Readonly<Record<string, HostMapping>>;

export class StationNetwork {
  readonly #network: Network;
  readonly #station: WifiStation;
  readonly #hosts: HostMap;
  readonly #faults: ModemFaults;
  readonly #clock: Clock;
  readonly #streams = new Set<Duplex>();

  constructor(parts: { network: Network; station: WifiStation; hosts: HostMap; faults: ModemFaults; clock: Clock }) {
    this.#network = parts.network;
    this.#station = parts.station;
    this.#hosts = parts.hosts;
    this.#faults = parts.faults;
    this.#clock = parts.clock;
    parts.station.lost.add(() => this.closeAll());
  }

  /** TLS is checked against the name that was asked for, wherever it leads. */
  async open(target: StreamTarget): Promise<NetworkStream> {
    this.#needStation();
    const { host, port = target.port } = this.#find(target.host);
    const { linkDelayMilliseconds, linkBytesPerSecond } = this.#faults;
    await pause(this.#clock, linkDelayMilliseconds * 2);
    const { stream, facts } = await this.#network.open({ ...target, host, port });
    if (!this.#station.isOnline) {
      stream.destroy();
      throw new Error("the Wi-Fi is gone");
    }
    const isSlow = linkDelayMilliseconds > 0 || linkBytesPerSecond > 0;
    const felt = isSlow
      ? new SlowLink(stream, this.#clock, { delayMilliseconds: linkDelayMilliseconds, bytesPerSecond: linkBytesPerSecond })
      : stream;
    if (isSlow) felt.on("error", () => {});
    this.#streams.add(felt);
    felt.once("close", () => this.#streams.delete(felt));
    return { stream: felt, facts };
  }

  async bind(localPort: number, receive: (bytes: Buffer, address: string, port: number) => void): Promise<Datagrams> {
    this.#needStation();
    const datagrams = await this.#network.bind(localPort, receive);
    return {
      ...datagrams,
      send: (bytes, host, port) => {
        const mapped = this.#find(host);
        return datagrams.send(bytes, mapped.host, mapped.port ?? port);
      },
    };
  }

  async lookup(host: string, family: 0 | 4 | 6): Promise<string[]> {
    this.#needStation();
    return this.#network.lookup(this.#find(host).host, family);
  }

  ping(host: string, timeoutMilliseconds: number): Promise<number> {
    this.#needStation();
    const { host: mapped, port = 80 } = this.#find(host);
    return this.#network.ping(mapped, port, timeoutMilliseconds);
  }

  closeAll(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  #find(host: string): HostMapping {
    return this.#hosts[host.toLowerCase()] ?? { host };
  }

  #needStation(): void {
    if (!this.#station.isOnline) throw new Error("the station has no address");
  }
}
