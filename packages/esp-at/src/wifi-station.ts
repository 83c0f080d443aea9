/** The modem as a Wi-Fi station in a simulated world of access points. [ESP-AT 5] */
import { type Clock, pause } from "./clock.ts";
import type { Nvs } from "./nvs.ts";
import type { Output } from "./output.ts";

export interface AccessPoint {
  ssid: string;
  /** None for an open network. */
  password?: string;
  bssid: string;
  channel: number;
  rssiDbm: number;
  /** What joining comes to, whatever the password. */
  failure?: "timeout" | "refused";
}

export interface WifiWorld {
  accessPoints: readonly AccessPoint[];
  /** Joining any other name works, with any password: for those who do not test Wi-Fi. */
  acceptsAnyNetwork: boolean;
  joinMilliseconds: number;
  scanMilliseconds: number;
  /** What DHCP gives. */
  address: string;
  gateway: string;
  netmask: string;
}

export const defaultWifiWorld: WifiWorld = {
  accessPoints: [],
  acceptsAnyNetwork: true,
  joinMilliseconds: 0,
  scanMilliseconds: 500,
  address: "192.168.1.100",
  gateway: "192.168.1.1",
  netmask: "255.255.255.0",
};

/** The codes of `+CWJAP:<code>`. */
export const joinFailures = { timeout: 1, wrongPassword: 2, notFound: 3, refused: 4 } as const;
export type JoinFailure = keyof typeof joinFailures;

/** As AT+CWSTATE? tells it. */
export const stationStates = ["idle", "associated", "online", "connecting", "disconnected"] as const;
export type StationState = (typeof stationStates)[number];

export class WifiStation {
  readonly #world: WifiWorld;
  readonly #clock: Clock;
  readonly #output: Output;
  readonly #nvs: Nvs;
  state: StationState = "idle";
  accessPoint: AccessPoint | undefined;
  /** A fault: no access point is heard. */
  #isOutOfRange = false;
  #cancelReconnect: (() => void) | undefined;
  #attempt = 0;
  /** Told when the address is gone, and with it every connection. */
  readonly lost = new Set<() => void>();
  readonly gained = new Set<() => void>();

  constructor(parts: { world: WifiWorld; clock: Clock; output: Output; nvs: Nvs; isOutOfRange: boolean }) {
    this.#world = parts.world;
    this.#clock = parts.clock;
    this.#output = parts.output;
    this.#nvs = parts.nvs;
    this.#isOutOfRange = parts.isOutOfRange;
  }

  get isOnline(): boolean {
    return this.state === "online";
  }

  get isOutOfRange(): boolean {
    return this.#isOutOfRange;
  }

  get address(): { ip: string; gateway: string; netmask: string } {
    const { address, gateway, netmask } = this.#world;
    if (!this.isOnline) return { ip: "0.0.0.0", gateway: "0.0.0.0", netmask: "0.0.0.0" };
    return {
      ip: this.#nvs.string("staticIp", address),
      gateway: this.#nvs.string("staticGateway", gateway),
      netmask: this.#nvs.string("staticNetmask", netmask),
    };
  }

  /** Undefined when it worked. */
  async join(ssid: string, password: string, bssid = ""): Promise<JoinFailure | undefined> {
    this.#stopReconnecting();
    if (this.isOnline) this.#lose("connecting");
    const attempt = ++this.#attempt;
    this.state = "connecting";
    await pause(this.#clock, this.#world.joinMilliseconds);
    if (attempt !== this.#attempt) return "refused";
    const found = this.#find(ssid, password, bssid);
    if (typeof found === "string") {
      this.state = "disconnected";
      return found;
    }
    this.accessPoint = found;
    this.state = "associated";
    this.#output.line("WIFI CONNECTED");
    this.state = "online";
    this.#output.line("WIFI GOT IP");
    for (const tell of this.gained) tell();
    return undefined;
  }

  /** AT+CWQAP. Gives whether there was anything to leave. */
  leave(): boolean {
    this.#stopReconnecting();
    this.#attempt += 1;
    if (!this.isOnline) {
      this.state = "disconnected";
      return false;
    }
    this.#lose("disconnected");
    return true;
  }

  async scan(): Promise<readonly AccessPoint[]> {
    await pause(this.#clock, this.#world.scanMilliseconds);
    return this.#isOutOfRange ? [] : [...this.#world.accessPoints].sort((a, b) => b.rssiDbm - a.rssiDbm);
  }

  /** The access point falls silent. */
  goOutOfRange(): void {
    this.#isOutOfRange = true;
    if (!this.isOnline) return;
    this.#lose("disconnected");
    this.#reconnectLater(1);
  }

  /** It is heard again; the next attempt to reconnect finds it. */
  comeBack(): void {
    this.#isOutOfRange = false;
  }

  /** Power is off: nothing is told any more. */
  stop(): void {
    this.#stopReconnecting();
    this.#attempt += 1;
    this.state = "idle";
  }

  #find(ssid: string, password: string, bssid: string): AccessPoint | JoinFailure {
    if (this.#isOutOfRange) return "notFound";
    const { accessPoints, acceptsAnyNetwork } = this.#world;
    const found = accessPoints.find((each) => each.ssid === ssid && (bssid === "" || each.bssid === bssid.toLowerCase()));
    if (found === undefined) {
      if (!acceptsAnyNetwork) return "notFound";
      return { ssid, password, bssid: "02:00:00:00:00:01", channel: 6, rssiDbm: -50 };
    }
    if (found.failure !== undefined) return found.failure;
    return found.password === undefined || found.password === password ? found : "wrongPassword";
  }

  #lose(state: StationState): void {
    this.state = state;
    this.accessPoint = undefined;
    this.#output.line("WIFI DISCONNECT");
    for (const tell of this.lost) tell();
  }

  /** AT+CWRECONNCFG: seconds between attempts (0: never), and how many (0: no end). */
  #reconnectLater(attempt: number): void {
    const [intervalSeconds = 1, attemptsMax = 0] = this.#nvs.numbers("wifiReconnect", [1, 0]);
    if (intervalSeconds === 0 || (attemptsMax > 0 && attempt > attemptsMax)) return;
    this.#cancelReconnect = this.#clock.after(intervalSeconds * 1000, () => {
      this.#cancelReconnect = undefined;
      void this.join(this.#nvs.string("ssid", ""), this.#nvs.string("password", ""), this.#nvs.string("bssid", "")).then((failure) => {
        if (failure !== undefined && this.state === "disconnected") this.#reconnectLater(attempt + 1);
      });
    });
  }

  #stopReconnecting(): void {
    this.#cancelReconnect?.();
    this.#cancelReconnect = undefined;
  }
}
