/** SNTP: asks for the time once the station is online. The computer's clock stands for the servers'. [ESP-AT 6.1] */
import type { Clock } from "./clock.ts";
import type { ModemFaults } from "./faults.ts";
import type { ModemTime } from "./modem-time.ts";
import type { Output } from "./output.ts";
import type { WifiStation } from "./wifi-station.ts";

export const defaultTimeServers: readonly string[] = ["cn.ntp.org.cn", "ntp.sjtu.edu.cn", "us.pool.ntp.org"];

interface Config {
  isEnabled: boolean;
  zone: number;
  zoneMinutes: number;
  servers: readonly string[];
}

export class TimeSync {
  readonly #parts: {
    clock: Clock;
    time: ModemTime;
    output: Output;
    station: WifiStation;
    faults: ModemFaults;
    delayMilliseconds: number;
    tells: boolean;
  };
  config: Config = { isEnabled: false, zone: 0, zoneMinutes: 0, servers: defaultTimeServers };
  intervalSeconds = 3600;
  #cancel: (() => void) | undefined;

  constructor(parts: {
    clock: Clock;
    time: ModemTime;
    output: Output;
    station: WifiStation;
    faults: ModemFaults;
    delayMilliseconds: number;
    /** Firmware from v3.0 says +TIME_UPDATED. */
    tells: boolean;
  }) {
    this.#parts = parts;
    parts.station.gained.add(() => this.#ask());
    parts.station.lost.add(() => this.stop());
  }

  configure(config: Config): void {
    this.config = config;
    this.stop();
    // At once means: right after the OK, before the host can ask for the time.
    if (this.#parts.delayMilliseconds > 0) this.#ask();
    else queueMicrotask(() => this.#answer());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #ask(milliseconds = this.#parts.delayMilliseconds): void {
    if (!this.#mayAsk) return;
    this.stop();
    this.#cancel = this.#parts.clock.after(milliseconds, () => this.#answer());
  }

  #answer(): void {
    const { clock, time, output, faults, tells } = this.#parts;
    this.#cancel = undefined;
    if (!this.#mayAsk) return;
    if (!faults.hasNoTimeServer) {
      time.set(clock.now());
      if (tells) output.line("+TIME_UPDATED");
    }
    this.#ask(this.intervalSeconds * 1000);
  }

  get #mayAsk(): boolean {
    return this.config.isEnabled && this.#parts.station.isOnline;
  }
}
