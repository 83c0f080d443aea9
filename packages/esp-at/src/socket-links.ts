/** TCP, SSL and UDP links, up to five, and the way their data reaches the host. [ESP-AT 6.3] */
import type { Duplex } from "node:stream";
import { AtError } from "./at-error.ts";
import { type Clock, within } from "./clock.ts";
import type { ModemFaults } from "./faults.ts";
import type { Flash } from "./flash.ts";
import { type Heap, heapCosts } from "./heap.ts";
import type { ModemLimits } from "./limits.ts";
import type { InputMachine } from "./line/input-machine.ts";
import type { SystemState } from "./modem-parts.ts";
import type { ModemTime } from "./modem-time.ts";
import type { Nvs } from "./nvs.ts";
import type { Output } from "./output.ts";
import type { Datagrams, TlsSettings } from "./ports/network.ts";
import type { StationNetwork } from "./station-network.ts";
import { findTlsMaterial } from "./tls-material.ts";

export const socketKinds = ["TCP", "TCPv6", "SSL", "SSLv6", "UDP", "UDPv6"] as const;
export type SocketKind = (typeof socketKinds)[number];

export function isSocketKind(text: string): text is SocketKind {
  return socketKinds.some((kind) => kind === text);
}

export interface SslConfig {
  /** 0 nothing, 1 sends a certificate, 2 verifies, 3 both. */
  auth: number;
  certificateSlot: number;
  caSlot: number;
  serverName?: string;
  alpn: readonly string[];
}

export interface LinkTarget {
  kind: SocketKind;
  host: string;
  port: number;
  keepAliveSeconds?: number;
  timeoutMilliseconds: number;
  /** UDP: our port, and whether the peer may change (0 never, 1 once, 2 always). */
  localPort?: number;
  udpMode?: number;
}

interface Peer {
  address: string;
  port: number;
}

export interface Link {
  readonly id: number;
  readonly target: LinkTarget;
  peer: Peer;
  localPort: number;
  stream?: Duplex;
  datagrams?: Datagrams;
  giveHeap: () => void;
  /** Passive mode: received and not read yet. */
  pending: { bytes: Buffer; from: Peer }[];
  isPendingTold: boolean;
  /** The peer closed, and the host has not read everything: CLOSED is held back. */
  isCloseHeld: boolean;
  hasPeerChanged: boolean;
}

export interface SocketLinksParts {
  network: StationNetwork;
  output: Output;
  input: InputMachine;
  flash: Flash;
  heap: Heap;
  clock: Clock;
  time: ModemTime;
  nvs: Nvs;
  limits: ModemLimits;
  faults: ModemFaults;
  system: SystemState;
  checksServerName: boolean;
  log(text: string): void;
  /** Asks the host to wait, or to go on. */
  flow(mayWrite: boolean): void;
}

export class SocketLinks {
  readonly #parts: SocketLinksParts;
  readonly #links = new Map<number, Link>();
  /** AT+CIPMUX=1: several links, told apart by an id. */
  isMultiple = false;
  /** AT+CIPMODE=1. */
  isPassthrough = false;
  /** AT+CIPDINFO=1: +IPD tells the peer. */
  showsPeer = false;
  readonly #passive = new Set<number>();
  readonly #ssl = new Map<number, SslConfig>();
  /** The link whose data goes straight through. */
  #through: Link | undefined;
  #cancelReconnect: (() => void) | undefined;
  #hadLink = false;

  constructor(parts: SocketLinksParts) {
    this.#parts = parts;
  }

  get links(): Link[] {
    return [...this.#links.values()].sort((a, b) => a.id - b.id);
  }

  /** Whether there ever was a link: AT+CIPSTATUS tells "closed" from "never opened". */
  get hadLink(): boolean {
    return this.#hadLink;
  }

  find(id: number): Link | undefined {
    return this.#links.get(id);
  }

  freeId(): number | undefined {
    return Array.from({ length: this.#parts.limits.socketsMax }, (_, id) => id).find((id) => !this.#links.has(id));
  }

  sslConfig(id: number): SslConfig {
    const [auth = 0, certificateSlot = 0, caSlot = 0] = this.#parts.nvs.numbers(`ssl${id}`, [0, 0, 0]);
    return this.#ssl.get(id) ?? { auth, certificateSlot, caSlot, alpn: [] };
  }

  configureSsl(id: number, change: Partial<SslConfig>): void {
    const config = { ...this.sslConfig(id), ...change };
    this.#ssl.set(id, config);
    this.#parts.nvs.set(`ssl${id}`, [config.auth, config.certificateSlot, config.caSlot]);
  }

  isPassive(id: number): boolean {
    return this.#passive.has(id);
  }

  setPassive(id: number, isPassive: boolean): void {
    if (isPassive) this.#passive.add(id);
    else this.#passive.delete(id);
  }

  /** Says CONNECT when it works. @throws AtError */
  async open(id: number, target: LinkTarget): Promise<void> {
    const { heap, output, system, log } = this.#parts;
    if (this.#links.has(id)) throw new AtError("failed");
    const isTls = target.kind.startsWith("SSL");
    const giveHeap = heap.take(isTls ? heapCosts.tlsBytes : heapCosts.tcpBytes);
    const link: Link = {
      id,
      target,
      peer: { address: target.host, port: target.port },
      localPort: 0,
      giveHeap,
      pending: [],
      isPendingTold: false,
      isCloseHeld: false,
      hasPeerChanged: false,
    };
    this.#links.set(id, link);
    try {
      if (target.kind.startsWith("UDP")) await this.#bind(link);
      else await this.#connect(link);
    } catch (error) {
      this.#links.delete(id);
      giveHeap();
      log(`[at-socket] ${target.host}:${target.port}: ${error instanceof Error ? error.message : String(error)}`);
      throw error instanceof AtError ? error : new AtError("failed");
    }
    this.#hadLink = true;
    const { peer, localPort } = link;
    if ((system.messageMask & 2) !== 0) output.line(`+LINK_CONN:0,${id},"${target.kind}",0,"${peer.address}",${peer.port},${localPort}`);
    else output.line(this.#tagged(link, "CONNECT"));
  }

  /** Resolves once the bytes are with the network. @throws Error when the link is gone */
  async send(link: Link, bytes: Buffer, to: Peer = link.peer): Promise<void> {
    if (link.datagrams !== undefined) return link.datagrams.send(bytes, to.address, to.port);
    const { stream } = link;
    if (stream === undefined || !stream.writable) throw new AtError("failed");
    const written = new Promise<void>((resolve, reject) => {
      const closed = () => reject(new AtError("failed"));
      stream.once("close", closed);
      stream.write(bytes, (error) => {
        stream.off("close", closed);
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
    return within(this.#parts.clock, this.#parts.limits.networkMilliseconds, written, () => new AtError("failed"));
  }

  /** Says CLOSED. */
  close(link: Link): void {
    this.#remove(link);
    this.#parts.output.line(this.#tagged(link, "CLOSED"));
  }

  /** Everything the host types goes to the peer, and back. Comes back when `+++` stood alone. */
  passThrough(link: Link): void {
    const { input, output, system } = this.#parts;
    output.prompt();
    output.isQuiet = (system.messageMask & 4) === 0;
    this.#through = link;
    input.passThrough(
      (bytes) => {
        const { stream, datagrams, peer } = this.#through ?? link;
        if (datagrams !== undefined) void datagrams.send(bytes, peer.address, peer.port).catch(() => {});
        else if (stream?.writable === true) this.#pour(stream, bytes);
      },
      () => {
        this.#through = undefined;
        this.#cancelReconnect?.();
        output.isQuiet = false;
        if ((system.messageMask & 1) !== 0) output.line("+QUITT");
      },
    );
  }

  /** What the host sends faster than the network takes it waits here, up to a limit. */
  #pour(stream: Duplex, bytes: Buffer): void {
    const { limits, flow, log } = this.#parts;
    if (stream.write(bytes)) return;
    if (stream.writableLength > limits.passthroughBytesMax) {
      log(`[at-socket] more than ${limits.passthroughBytesMax} bytes wait for the peer: the link is closed`);
      stream.destroy();
      return;
    }
    flow(false);
    const goOn = () => {
      stream.off("drain", goOn);
      stream.off("close", goOn);
      flow(true);
    };
    stream.on("drain", goOn);
    stream.on("close", goOn);
  }

  pendingBytes(id: number): number {
    return this.#links.get(id)?.pending.reduce((sum, { bytes }) => sum + bytes.length, 0) ?? 0;
  }

  /** Up to so many bytes in passive mode; undefined when there are none. */
  read(link: Link, bytesMax: number): { bytes: Buffer; from: Peer } | undefined {
    const first = link.pending[0];
    if (first === undefined) return undefined;
    const pieces: Buffer[] = [];
    let left = bytesMax;
    while (left > 0) {
      const next = link.pending[0];
      if (next === undefined) break;
      const piece = next.bytes.subarray(0, left);
      pieces.push(piece);
      left -= piece.length;
      if (piece.length === next.bytes.length) link.pending.shift();
      else next.bytes = next.bytes.subarray(piece.length);
    }
    link.isPendingTold = false;
    if (this.pendingBytes(link.id) < this.#parts.limits.receiveBufferBytesMax) link.stream?.resume();
    return { bytes: Buffer.concat(pieces), from: first.from };
  }

  /** After the answer to a read: what was held back meanwhile. */
  afterRead(link: Link): void {
    if (link.pending.length > 0) this.#tellPending(link);
    else if (link.isCloseHeld) this.#finishClose(link);
  }

  stop(): void {
    this.#cancelReconnect?.();
    for (const link of this.links) this.#remove(link);
  }

  async #connect(link: Link): Promise<void> {
    const { kind, host, port, keepAliveSeconds, timeoutMilliseconds } = link.target;
    const tls = kind.startsWith("SSL") ? this.#tlsSettings(link) : undefined;
    const { stream, facts } = await this.#parts.network.open({
      host,
      port,
      timeoutMilliseconds,
      ...(kind.endsWith("v6") ? { family: 6 as const } : {}),
      ...(keepAliveSeconds === undefined ? {} : { keepAliveSeconds }),
      ...(tls === undefined ? {} : { tls }),
    });
    if (this.#links.get(link.id) !== link) {
      stream.destroy();
      throw new AtError("failed");
    }
    link.stream = stream;
    link.peer = { address: facts.remoteAddress, port: facts.remotePort };
    link.localPort = facts.localPort;
    stream.on("data", (bytes: Buffer) => this.#receive(link, bytes, link.peer));
    stream.on("end", () => stream.end());
    stream.on("close", () => this.#lose(link));
  }

  async #bind(link: Link): Promise<void> {
    const { host, port, localPort = 0, udpMode = 0 } = link.target;
    const [address = host] = await this.#parts.network.lookup(host, 4);
    link.peer = { address, port };
    link.datagrams = await this.#parts.network.bind(localPort, (bytes, from, fromPort) => {
      if (udpMode === 2 || (udpMode === 1 && !link.hasPeerChanged)) {
        link.peer = { address: from, port: fromPort };
        link.hasPeerChanged = true;
      }
      this.#receive(link, bytes, { address: from, port: fromPort });
    });
    link.localPort = link.datagrams.localPort;
  }

  #tlsSettings(link: Link): TlsSettings {
    const { flash, faults, output, time, checksServerName } = this.#parts;
    const { auth, certificateSlot, caSlot, serverName, alpn } = this.sslConfig(link.id);
    const wanted = {
      use: "client" as const,
      slot: caSlot,
      certificateSlot,
      sendsCertificate: (auth & 1) !== 0,
      verifies: (auth & 2) !== 0,
    };
    const material = findTlsMaterial({ flash, faults, ...wanted });
    if ("missing" in material) {
      output.line({ ca: "NO CA FOUND", cert: "NO CERT FOUND", key: "NO PRVT_KEY FOUND" }[material.missing]);
      throw new AtError("failed");
    }
    return { ...material, serverName: serverName ?? link.target.host, alpn, checksName: checksServerName, now: () => time.now() };
  }

  #receive(link: Link, bytes: Buffer, from: Peer): void {
    const { output, limits } = this.#parts;
    if (this.#through === link) {
      output.raw(bytes);
      return;
    }
    if (this.#passive.has(link.id)) {
      link.pending.push({ bytes, from });
      if (this.pendingBytes(link.id) >= limits.receiveBufferBytesMax) {
        // TCP waits for the host; a datagram that finds no room is lost, as on the air.
        if (link.stream !== undefined) link.stream.pause();
        else if (link.pending.length > 1) link.pending.pop();
      }
      this.#tellPending(link);
      return;
    }
    const peer = this.showsPeer ? `,"${from.address}",${from.port}` : "";
    for (let start = 0; start < bytes.length; start += limits.receiveChunkBytesMax) {
      const piece = bytes.subarray(start, start + limits.receiveChunkBytesMax);
      const head = `\r\n+IPD,${this.isMultiple ? `${link.id},` : ""}${piece.length}${peer}:`;
      output.raw(Buffer.concat([Buffer.from(head), piece]));
    }
  }

  /** Once, until the host reads. */
  #tellPending(link: Link): void {
    if (link.isPendingTold) return;
    link.isPendingTold = true;
    this.#parts.output.block(`+IPD,${this.isMultiple ? `${link.id},` : ""}${this.pendingBytes(link.id)}`);
  }

  /** The peer or the network ended it. */
  #lose(link: Link): void {
    if (this.#links.get(link.id) !== link) return;
    if (this.#through === link) {
      this.#reconnect(link);
      return;
    }
    if (link.pending.length > 0) link.isCloseHeld = true;
    else this.#finishClose(link);
  }

  #finishClose(link: Link): void {
    this.#remove(link);
    this.#parts.output.line(this.#tagged(link, "CLOSED"));
  }

  /** In passthrough the module tries until it is told to stop. */
  #reconnect(link: Link): void {
    const { clock, nvs } = this.#parts;
    const { stream: _gone, ...rest } = link;
    const next: Link = { ...rest };
    this.#links.set(link.id, next);
    this.#through = next;
    this.#cancelReconnect = clock.after(nvs.number("reconnectTenths", 1) * 100, () => {
      this.#connect(next).catch(() => {
        if (this.#through === next) this.#reconnect(next);
        else if (this.#links.get(next.id) === next) this.#finishClose(next);
      });
    });
  }

  #remove(link: Link): void {
    if (this.#links.get(link.id) === link) this.#links.delete(link.id);
    link.giveHeap();
    link.stream?.destroy();
    link.datagrams?.close();
  }

  #tagged(link: Link, word: string): string {
    return this.isMultiple ? `${link.id},${word}` : word;
  }
}
