/** The modem: bytes in, bytes out. */
import { AtError, errorCodeOf } from "./at-error.ts";
import { type Clock, type Random, systemClock, systemRandom } from "./clock.ts";
import { Arguments, bindParameters, type Call, type CommandDefinition } from "./command.ts";
import { commandsOf } from "./commands/index.ts";
import { type ModemFaults, noFaults } from "./faults.ts";
import { type CertificateKind, type CertificateUse, Flash } from "./flash.ts";
import { Heap } from "./heap.ts";
import { HttpState } from "./http-exchange.ts";
import { defaultModemLimits, type ModemLimits } from "./limits.ts";
import { parseCommandLine } from "./line/command-line.ts";
import { InputMachine } from "./line/input-machine.ts";
import { parseParameters } from "./line/parameters.ts";
import type { ModemParts } from "./modem-parts.ts";
import { ModemTime } from "./modem-time.ts";
import { mqttJsClient } from "./mqtt-js-client.ts";
import { MqttSession } from "./mqtt-session.ts";
import { createNodeNetwork } from "./node-network.ts";
import { Nvs } from "./nvs.ts";
import { Output } from "./output.ts";
import type { MqttClient } from "./ports/mqtt-client.ts";
import type { Network } from "./ports/network.ts";
import { createMemoryStorage, type Storage } from "./ports/storage.ts";
import { type ModemVersion, versionProfiles } from "./profile.ts";
import { SocketLinks } from "./socket-links.ts";
import { type HostMap, StationNetwork } from "./station-network.ts";
import { TimeSync } from "./time-sync.ts";
import { defaultWifiWorld, WifiStation, type WifiWorld } from "./wifi-station.ts";

export interface Certificate {
  use: CertificateUse;
  kind: CertificateKind;
  /** PEM. */
  pem: Buffer;
}

export interface ModemOptions {
  /** Takes what the modem says; each call is one whole message. */
  output(bytes: Buffer): void;
  /** What a module tells on its second port: lines without codes, for people. */
  log?(text: string): void;
  /** In passthrough: false asks the host to wait with what it sends, true to go on. */
  flow?(mayWrite: boolean): void;
  /** Whether it starts with echo on, as modules do. Default true. */
  echoes?: boolean;
  /** Default v4.1. */
  version?: ModemVersion;
  /** Names that lead elsewhere: `{ "xxx-ats.iot.us-east-2.amazonaws.com": { host: "127.0.0.1", port: 8883 } }`. */
  hosts?: HostMap;
  /** What the firmware was built with; what a host stores later wins until the next start. */
  certificates?: readonly Certificate[];
  /** Whether schemes and sockets that verify a certificate also hold it to the server's name. Default true. */
  checksServerName?: boolean;
  wifi?: Partial<WifiWorld>;
  /** The access point is not heard until `comeBack()`. */
  startsOutOfRange?: boolean;
  faults?: Partial<ModemFaults>;
  /** Between asking a time server and its answer. */
  timeSyncMilliseconds?: number;
  macAddress?: string;
  limits?: Partial<ModemLimits>;
  storage?: Storage;
  clock?: Clock;
  random?: Random;
  network?: Network;
  mqtt?: MqttClient;
}

export interface Modem {
  /** Bytes from the host, cut anywhere. */
  write(bytes: Uint8Array): void;
  /** Whether a command runs or its data is awaited. */
  readonly isBusy: boolean;
  /** Bytes are expected after a `>`. */
  readonly isAwaitingData: boolean;
  /** May be changed at any time. */
  readonly faults: ModemFaults;
  /** The access point falls silent: connections break, the station looks for it. */
  loseWifi(): void;
  findWifi(): void;
  /** So much memory is free when nothing is connected. */
  setHeap(bytes: number): void;
  /** Power off and on. */
  reset(): void;
  /** Power off: everything is closed, nothing is said any more. */
  close(): void;
}

/**
 * A modem that has just been switched on: it says `ready`, joins the network it knows, and takes commands. [ESP-AT 3]
 *
 * @throws Error when the storage cannot be read, RangeError when a certificate finds no room
 * @example
 * const modem = createModem({ output: (bytes) => process.stdout.write(bytes) });
 * modem.write(Buffer.from("AT\r\n"));
 */
export function createModem(options: ModemOptions): Modem {
  return new SoftwareModem(options);
}

class SoftwareModem implements Modem {
  readonly #options: ModemOptions;
  readonly #clock: Clock;
  readonly #limits: ModemLimits;
  readonly #nvs: Nvs;
  readonly #commands: ReadonlyMap<string, CommandDefinition>;
  readonly faults: ModemFaults;
  #parts: ModemParts;
  #heapBytes: number;
  #isOutOfRange: boolean;
  #state: "on" | "restarting" | "off" = "on";
  #cancelRestart: (() => void) | undefined;
  /** The command that runs; a restart makes it nobody's. */
  #running: object | undefined;

  constructor(options: ModemOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#limits = { ...defaultModemLimits, ...options.limits };
    this.#heapBytes = this.#limits.heapBytes;
    this.#isOutOfRange = options.startsOutOfRange ?? false;
    this.faults = { ...noFaults, ...options.faults };
    this.#nvs = new Nvs(options.storage ?? createMemoryStorage());
    const version = options.version ?? "v4.1";
    const commands = commandsOf(version);
    this.#commands = new Map(commands.map((command) => [command.name, command]));
    this.#parts = this.#build();
    for (const { use, kind, pem } of options.certificates ?? []) this.#parts.flash.installCertificate(use, kind, pem);
    this.#boot();
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  get isAwaitingData(): boolean {
    return this.#parts.input.isAwaitingData;
  }

  write(bytes: Uint8Array): void {
    if (this.#state === "on") this.#parts.input.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  loseWifi(): void {
    this.#isOutOfRange = true;
    this.#parts.station.goOutOfRange();
  }

  findWifi(): void {
    this.#isOutOfRange = false;
    this.#parts.station.comeBack();
  }

  setHeap(bytes: number): void {
    this.#heapBytes = bytes;
    this.#parts.heap.resize(bytes);
  }

  reset(): void {
    this.#stop();
    this.#nvs.forgetVolatile();
    this.#parts = this.#build();
    this.#state = "on";
    this.#boot();
  }

  close(): void {
    this.#stop();
    this.#state = "off";
  }

  #build(): ModemParts {
    const { options, clock, limits, nvs, faults } = {
      options: this.#options,
      clock: this.#clock,
      limits: this.#limits,
      nvs: this.#nvs,
      faults: this.faults,
    };
    const profile = versionProfiles[options.version ?? "v4.1"];
    // A part that outlives its time says nothing any more.
    let isCurrent = true;
    const output = new Output((bytes) => {
      if (isCurrent && this.#state !== "off") options.output(bytes);
    });
    this.#silence = () => {
      isCurrent = false;
    };
    const log = options.log ?? (() => {});
    const input = new InputMachine(
      {
        isBusy: () => this.#running !== undefined || this.#state !== "on",
        echo: (bytes) => {
          if (this.#parts.system.echoes) output.raw(Buffer.from(bytes));
        },
        line: (line) => this.#run(line),
        lineTooLong: () => output.error(errorCodeOf("parameterLength")),
        refused: () => output.busy(errorCodeOf("busy")),
      },
      clock,
      limits,
    );
    const world = { ...defaultWifiWorld, ...options.wifi };
    const time = new ModemTime(clock);
    const station = new WifiStation({ world, clock, output, nvs, isOutOfRange: this.#isOutOfRange });
    const network = new StationNetwork({
      network: options.network ?? createNodeNetwork(clock),
      station,
      hosts: options.hosts ?? {},
      faults,
      clock,
    });
    const flash = new Flash(nvs, profile, limits);
    const heap = new Heap(this.#heapBytes);
    const checksServerName = options.checksServerName ?? true;
    const tells = profile.tellsTimeUpdates;
    const delayMilliseconds = options.timeSyncMilliseconds ?? 0;
    const system = { echoes: options.echoes ?? true, sleepMode: 0, messageMask: nvs.number("messageMask", 0), userRam: Buffer.alloc(0) };
    const shared = { network, output, flash, heap, clock, time, limits, faults, checksServerName, log };
    return {
      profile,
      limits,
      clock,
      random: options.random ?? systemRandom,
      time,
      sync: new TimeSync({ clock, time, output, station, faults, delayMilliseconds, tells }),
      output,
      input,
      nvs,
      flash,
      heap,
      faults,
      station,
      network,
      mqtt: new MqttSession({ ...shared, client: options.mqtt ?? mqttJsClient }),
      sockets: new SocketLinks({ ...shared, input, system, nvs, flow: (mayWrite) => options.flow?.(mayWrite) }),
      http: new HttpState(shared),
      system,
      macAddress: options.macAddress ?? "24:0a:c4:00:00:01",
      commands: [...this.#commands.values()],
      restart: (afterMilliseconds = 0) => this.#restart(afterMilliseconds),
    };
  }

  #silence: () => void = () => {};

  #boot(): void {
    const { output, nvs, station } = this.#parts;
    nvs.isStoring = nvs.number("sysStore", 1) === 1;
    output.block("ready");
    const isStation = (nvs.number("wifiMode", 1) & 1) === 1;
    if (!isStation || nvs.number("autoConnect", 1) === 0 || nvs.string("ssid", "") === "") return;
    // Later than `ready`, as radios are.
    this.#clock.after(0, () => {
      if (station === this.#parts.station && this.#state === "on" && station.state === "idle")
        void station.join(nvs.string("ssid", ""), nvs.string("password", ""), nvs.string("bssid", ""));
    });
  }

  #restart(afterMilliseconds: number): void {
    const { output, station } = this.#parts;
    this.#state = "restarting";
    this.#cancelRestart = this.#clock.after(afterMilliseconds, () => {
      if (station.isOnline) output.line("WIFI DISCONNECT");
      this.reset();
    });
  }

  #stop(): void {
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    this.#silence();
    this.#running = undefined;
    const { input, mqtt, sockets, sync, station, network } = this.#parts;
    input.reset();
    mqtt.stop();
    sockets.stop();
    sync.stop();
    station.stop();
    network.closeAll();
  }

  #run(line: Buffer): void {
    const { output } = this.#parts;
    try {
      const { name, form, parameters } = parseCommandLine(line.toString("latin1"));
      const command = this.#commands.get(name);
      if (command === undefined) throw new AtError("unknownCommand");
      const handler = form === "set" ? command.set?.run : command[form];
      if (handler === undefined) throw new AtError("unknownForm");
      const given = form === "set" ? parseParameters(parameters) : [];
      const expected = command.set?.parameters ?? [];
      const values =
        form === "set"
          ? bindParameters(typeof expected === "function" ? expected(this.#parts, given) : expected, given)
          : new Arguments(new Map());
      const call = new RunningCall(this.#parts, values);
      const result = handler(call);
      if (result instanceof Promise) this.#await(result, call);
      else if (call.hasResult) output.ok();
    } catch (error) {
      this.#fail(error, this.#parts);
    }
  }

  #await(work: Promise<unknown>, call: RunningCall): void {
    const parts = this.#parts;
    this.#running = call;
    work.then(
      () => {
        if (this.#running !== call) return;
        this.#running = undefined;
        if (call.hasResult) parts.output.ok();
      },
      (error: unknown) => {
        if (this.#running !== call) return;
        this.#running = undefined;
        this.#fail(error, parts);
      },
    );
  }

  #fail(error: unknown, { output }: ModemParts): void {
    if (!(error instanceof AtError)) this.#options.log?.(error instanceof Error ? (error.stack ?? error.message) : String(error));
    output.error(error instanceof AtError ? error.errorCode : errorCodeOf("failed"));
  }
}

class RunningCall implements Call {
  readonly modem: ModemParts;
  readonly parameters: Arguments;
  hasResult = true;

  constructor(modem: ModemParts, parameters: Arguments) {
    this.modem = modem;
    this.parameters = parameters;
  }

  withoutResult(): void {
    this.hasResult = false;
  }

  prompt(bytes: number): Promise<Buffer> {
    return this.#expect((done) => this.modem.input.expect(bytes, done));
  }

  promptEscaped(bytesMax: number): Promise<Buffer> {
    return this.#expect((done) => this.modem.input.expectEscaped(bytesMax, done));
  }

  #expect(listen: (done: (bytes: Buffer) => void) => void): Promise<Buffer> {
    this.modem.output.prompt();
    return new Promise((resolve) => listen(resolve));
  }
}
