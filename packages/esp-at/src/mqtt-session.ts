/** The one MQTT link of the module: its configuration, its connection, its subscriptions. [ESP-AT 2] */
import { AtError, mqttError } from "./at-error.ts";
import { type Clock, within } from "./clock.ts";
import type { ModemFaults } from "./faults.ts";
import type { CertificateKind, CertificateUse, Flash } from "./flash.ts";
import { type Heap, heapCosts } from "./heap.ts";
import type { ModemLimits } from "./limits.ts";
import type { ModemTime } from "./modem-time.ts";
import { schemeOf } from "./mqtt-scheme.ts";
import type { Output } from "./output.ts";
import type { MqttClient, MqttConnection, MqttWill, Qos } from "./ports/mqtt-client.ts";
import { ServerNameError, TlsMaterialError, type TlsSettings } from "./ports/network.ts";
import type { StationNetwork } from "./station-network.ts";
import { findTlsMaterial } from "./tls-material.ts";

export interface MqttUser {
  scheme: number;
  clientId: string;
  username: string;
  password: string;
  /** Without its leading slash. */
  path: string;
}

export interface MqttConnectionConfig {
  keepAliveSeconds: number;
  isPersistent: boolean;
  will?: MqttWill;
}

interface Target {
  host: string;
  port: number;
  reconnects: boolean;
}

type Phase =
  | { name: "uninitialised" }
  | { name: "configured" }
  | { name: "connecting" }
  | { name: "connected"; connection: MqttConnection; giveHeap: () => void }
  | { name: "disconnected"; cancelReconnect?: () => void };

export interface MqttSessionParts {
  network: StationNetwork;
  client: MqttClient;
  output: Output;
  flash: Flash;
  heap: Heap;
  clock: Clock;
  time: ModemTime;
  limits: ModemLimits;
  faults: ModemFaults;
  checksServerName: boolean;
  /** What a module tells on its second port. */
  log(text: string): void;
}

const defaultConnectionConfig: MqttConnectionConfig = { keepAliveSeconds: 120, isPersistent: false };

export class MqttSession {
  readonly #parts: MqttSessionParts;
  #phase: Phase = { name: "uninitialised" };
  #user: MqttUser | undefined;
  #connectionConfig: MqttConnectionConfig | undefined;
  #alpn: readonly string[] = [];
  #sni: string | undefined;
  #target: Target | undefined;
  readonly #topics = new Map<string, Qos>();
  /** State 5: everything was unsubscribed. Before the first subscription it is 4. */
  #hasUnsubscribed = false;
  /** A connect failed: its configuration counts as complete from then on. */
  #hasTried = false;
  /** Rejects what a command waits for when the link goes. */
  readonly #waiting = new Set<() => void>();

  constructor(parts: MqttSessionParts) {
    this.#parts = parts;
  }

  /** `<state>` of the manual. [ESP-AT 2.1] */
  get state(): number {
    const { name } = this.#phase;
    if (name === "uninitialised") return 0;
    if (name === "configured" || name === "connecting") return this.#connectionConfig !== undefined || this.#hasTried ? 2 : 1;
    if (name === "disconnected") return 3;
    if (this.#topics.size > 0) return 6;
    return this.#hasUnsubscribed ? 5 : 4;
  }

  get user(): MqttUser | undefined {
    return this.#user;
  }

  get target(): Target | undefined {
    return this.#phase.name === "connected" || this.#phase.name === "disconnected" ? this.#target : undefined;
  }

  get topics(): ReadonlyMap<string, Qos> {
    return this.#topics;
  }

  /** @throws AtError once a connection was begun */
  configureUser(user: MqttUser): void {
    if (this.#phase.name === "connected") throw mqttError("alreadyConnected");
    if (this.#phase.name !== "uninitialised" && this.#phase.name !== "configured") throw mqttError("notInConfiguredState");
    this.#user = user;
    this.#phase = { name: "configured" };
  }

  changeUser(change: Partial<MqttUser>): void {
    this.#user = { ...this.needConfiguration(), ...change };
  }

  configureConnection(config: MqttConnectionConfig): void {
    this.needConfiguration();
    this.#connectionConfig = config;
  }

  configureTls(change: { alpn?: readonly string[]; sni?: string }): void {
    const { scheme } = this.needConfiguration();
    if (!schemeOf(scheme).isTls) throw mqttError("tlsConfigError");
    this.#alpn = change.alpn ?? this.#alpn;
    this.#sni = change.sni ?? this.#sni;
  }

  /** The user, as long as the configuration may change. @throws AtError */
  needConfiguration(): MqttUser {
    if (this.#user === undefined) throw mqttError("noConfigured");
    if (this.#phase.name !== "configured") throw mqttError("notInConfiguredState");
    return this.#user;
  }

  /** Tells +MQTTCONNECTED, or +MQTTDISCONNECTED and fails. */
  async connect(target: Target, timeoutMilliseconds: number): Promise<void> {
    const { output, log } = this.#parts;
    if (this.#user === undefined) throw mqttError("noConfigured");
    if (this.#phase.name === "connected") throw mqttError("alreadyConnected");
    // Once lost without `reconnect`, only MQTTCLEAN leads on; with it, the module is at it itself. [ESP-AT 2.6]
    if (this.#phase.name !== "configured") throw mqttError("inDisconnectedState");
    this.#target = target;
    const attempt: Phase = { name: "connecting" };
    this.#phase = attempt;
    this.#hasTried = true;
    try {
      await this.#open(target, this.#user, timeoutMilliseconds);
    } catch (error) {
      if (this.#phase === attempt) this.#phase = { name: "configured" };
      log(`[at-mqtt] connecting to ${target.host}:${target.port} failed: ${error instanceof Error ? error.message : String(error)}`);
      output.line("+MQTTDISCONNECTED:0");
      throw failureOf(error);
    }
  }

  async publish(topic: string, payload: Buffer, qos: Qos, isRetained: boolean, timeoutMilliseconds: number): Promise<void> {
    const connection = this.needConnection();
    await this.#answered(connection.publish(topic, payload, qos, isRetained), timeoutMilliseconds, () => mqttError("clientPublishFailed"));
  }

  async subscribe(topic: string, qos: Qos, timeoutMilliseconds: number): Promise<void> {
    const connection = this.needConnection();
    if (this.#topics.has(topic)) {
      this.#parts.log("ALREADY SUBSCRIBE");
      return;
    }
    if (this.#topics.size >= this.#parts.limits.mqttTopicsMax) throw mqttError("clientSubscribeFailed");
    await this.#answered(connection.subscribe(topic, qos), timeoutMilliseconds, () => mqttError("clientSubscribeFailed"));
    this.#topics.set(topic, qos);
  }

  async unsubscribe(topic: string, timeoutMilliseconds: number): Promise<void> {
    const connection = this.needConnection();
    if (!this.#topics.has(topic)) {
      this.#parts.log("NO UNSUBSCRIBE");
      return;
    }
    await this.#answered(connection.unsubscribe(topic), timeoutMilliseconds, () => mqttError("clientUnsubscribeFailed"));
    this.#topics.delete(topic);
    this.#hasUnsubscribed = this.#topics.size === 0;
  }

  /** DISCONNECT, and everything is as at power-on. */
  clean(): void {
    if (this.#phase.name === "uninitialised") throw mqttError("uninitiatedOrAlreadyClean");
    this.#end((connection) => connection.end());
  }

  /** Power is off. */
  stop(): void {
    this.#end((connection) => connection.drop());
  }

  needConnection(): MqttConnection {
    switch (this.#phase.name) {
      case "connected":
        return this.#phase.connection;
      case "disconnected":
        throw mqttError("inDisconnectedState");
      default:
        throw mqttError("nullLink");
    }
  }

  async #open(target: Target, user: MqttUser, timeoutMilliseconds: number): Promise<void> {
    const { network, client, output, heap, limits } = this.#parts;
    // Whoever cleans up meanwhile puts another in its place.
    const attempt = this.#phase;
    const scheme = schemeOf(user.scheme);
    const tls = scheme.isTls ? this.#tlsSettings(target, user) : undefined;
    const giveHeap = heap.take(heapCosts.mqttBytes + (tls === undefined ? heapCosts.tcpBytes : heapCosts.tlsBytes), () =>
      mqttError("mallocFailed"),
    );
    try {
      const { stream } = await network.open({
        host: target.host,
        port: target.port,
        timeoutMilliseconds,
        ...(tls === undefined ? {} : { tls }),
      });
      const path = user.path === "" ? "/" : `/${user.path}`;
      const config = this.#connectionConfig ?? defaultConnectionConfig;
      const connection = await client.connect(
        {
          stream,
          ...(scheme.isWebSocket ? { webSocket: { host: target.host, port: target.port, path } } : {}),
          clientId: user.clientId,
          ...(user.username === "" ? {} : { username: user.username }),
          ...(user.password === "" ? {} : { password: user.password }),
          keepAliveSeconds: config.keepAliveSeconds,
          isClean: !config.isPersistent,
          ...(config.will === undefined ? {} : { will: config.will }),
          timeoutMilliseconds,
          packetBytesMax: limits.mqttPacketBytesMax,
        },
        { message: (topic, payload, qos) => this.#receive(topic, payload, qos), closed: () => this.#lose() },
      );
      if (this.#phase !== attempt) {
        connection.drop();
        throw mqttError("clientStartFailed");
      }
      if (!connection.isSessionPresent) this.#topics.clear();
      this.#hasUnsubscribed = false;
      this.#phase = { name: "connected", connection, giveHeap };
    } catch (error) {
      giveHeap();
      throw error;
    }
    const shownPath = scheme.isWebSocket ? `/${user.path}` : "";
    output.line(`+MQTTCONNECTED:0,${user.scheme},"${target.host}","${target.port}","${shownPath}",${target.reconnects ? 1 : 0}`);
  }

  #tlsSettings(target: Target, user: MqttUser): TlsSettings {
    const { flash, faults, time, output, checksServerName } = this.#parts;
    const scheme = schemeOf(user.scheme);
    const use: CertificateUse = "mqtt";
    const material = findTlsMaterial({ flash, faults, use, slot: 0, sendsCertificate: scheme.sendsCertificate, verifies: scheme.verifies });
    if ("missing" in material) {
      output.line(missingLines[material.missing]);
      throw mqttError(missingFailures[material.missing]);
    }
    return {
      ...material,
      serverName: this.#sni ?? target.host,
      alpn: this.#alpn,
      checksName: checksServerName,
      now: () => time.now(),
    };
  }

  #lose(): void {
    if (this.#phase.name !== "connected") return;
    const { output, clock, limits } = this.#parts;
    this.#phase.giveHeap();
    output.line("+MQTTDISCONNECTED:0");
    this.#phase = { name: "disconnected" };
    for (const fail of this.#waiting) fail();
    this.#waiting.clear();
    if (this.#target?.reconnects === true) this.#reconnectLater(clock, limits.mqttReconnectMilliseconds);
  }

  #reconnectLater(clock: Clock, milliseconds: number): void {
    const cancelReconnect = clock.after(milliseconds, () => void this.#reconnect());
    this.#phase = { name: "disconnected", cancelReconnect };
  }

  /** Failed attempts are not told. */
  async #reconnect(): Promise<void> {
    const { clock, limits, log } = this.#parts;
    if (this.#phase.name !== "disconnected" || this.#target === undefined || this.#user === undefined) return;
    const phase: Phase = { name: "connecting" };
    this.#phase = phase;
    try {
      await this.#open(this.#target, this.#user, limits.networkMilliseconds);
    } catch (error) {
      log(`[at-mqtt] reconnecting failed: ${error instanceof Error ? error.message : String(error)}`);
      // Unless MQTTCLEAN came in between.
      if (this.#phase === phase) this.#reconnectLater(clock, limits.mqttReconnectMilliseconds);
    }
  }

  #end(close: (connection: MqttConnection) => void): void {
    const phase = this.#phase;
    this.#phase = { name: "uninitialised" };
    this.#user = undefined;
    this.#connectionConfig = undefined;
    this.#alpn = [];
    this.#sni = undefined;
    this.#target = undefined;
    this.#topics.clear();
    this.#hasUnsubscribed = false;
    this.#hasTried = false;
    for (const fail of this.#waiting) fail();
    this.#waiting.clear();
    if (phase.name === "connected") {
      phase.giveHeap();
      close(phase.connection);
    } else if (phase.name === "disconnected") phase.cancelReconnect?.();
  }

  /** Larger messages than the client's buffer come in pieces, each with the topic. [ESP-AT 2.12] */
  #receive(topic: string, payload: Buffer, qos: Qos): void {
    const { output, limits } = this.#parts;
    const topicBytes = Buffer.byteLength(topic);
    const remaining = 2 + topicBytes + (qos > 0 ? 2 : 0) + payload.length;
    const headerBytes = 1 + (remaining < 128 ? 1 : remaining < 16_384 ? 2 : remaining < 2_097_152 ? 3 : 4) + remaining - payload.length;
    let start = 0;
    let room = Math.max(1, limits.mqttBufferBytesMax - headerBytes);
    do {
      const piece = payload.subarray(start, start + room);
      output.data(`+MQTTSUBRECV:0,"${topic}",${piece.length},`, piece);
      start += piece.length;
      room = limits.mqttBufferBytesMax;
    } while (start < payload.length);
  }

  #answered(work: Promise<void>, timeoutMilliseconds: number, failure: () => AtError): Promise<void> {
    return new Promise((resolve, reject) => {
      const lost = () => reject(failure());
      this.#waiting.add(lost);
      within(this.#parts.clock, timeoutMilliseconds, work, failure)
        .then(resolve, () => reject(failure()))
        .finally(() => this.#waiting.delete(lost));
    });
  }
}

const missingLines: Readonly<Record<CertificateKind, string>> = { ca: "NO CA FOUND", cert: "NO CERT FOUND", key: "NO PRVT_KEY FOUND" };
const missingFailures = { ca: "caReadFailed", cert: "certReadFailed", key: "keyReadFailed" } as const;

function failureOf(error: unknown): AtError {
  if (error instanceof AtError) return error;
  if (error instanceof TlsMaterialError) return mqttError("tlsConfigError");
  return mqttError(error instanceof ServerNameError ? "hostnameVerifyFailed" : "clientStartFailed");
}
