/** What commands work with. Put together anew at every start of the modem; see `modem.ts`. */
import type { Clock, Random } from "./clock.ts";
import type { CommandDefinition } from "./command.ts";
import type { ModemFaults } from "./faults.ts";
import type { Flash } from "./flash.ts";
import type { Heap } from "./heap.ts";
import type { HttpState } from "./http-exchange.ts";
import type { ModemLimits } from "./limits.ts";
import type { InputMachine } from "./line/input-machine.ts";
import type { ModemTime } from "./modem-time.ts";
import type { MqttSession } from "./mqtt-session.ts";
import type { Nvs } from "./nvs.ts";
import type { Output } from "./output.ts";
import type { VersionProfile } from "./profile.ts";
import type { SocketLinks } from "./socket-links.ts";
import type { StationNetwork } from "./station-network.ts";
import type { TimeSync } from "./time-sync.ts";
import type { WifiStation } from "./wifi-station.ts";

export interface SystemState {
  echoes: boolean;
  sleepMode: number;
  /** AT+SYSMSG: bit 0 +QUITT, bit 1 +LINK_CONN, bit 2 status in passthrough. */
  messageMask: number;
  userRam: Buffer;
}

export interface ModemParts {
  readonly profile: VersionProfile;
  readonly limits: ModemLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly time: ModemTime;
  readonly sync: TimeSync;
  readonly output: Output;
  readonly input: InputMachine;
  readonly nvs: Nvs;
  readonly flash: Flash;
  readonly heap: Heap;
  readonly faults: ModemFaults;
  readonly station: WifiStation;
  readonly network: StationNetwork;
  readonly mqtt: MqttSession;
  readonly sockets: SocketLinks;
  readonly http: HttpState;
  readonly system: SystemState;
  /** Six bytes in hex with colons. */
  readonly macAddress: string;
  /** Of this firmware, in the order of AT+CMD?. */
  readonly commands: readonly CommandDefinition[];
  /** Starts again once the current answer is out. */
  restart(afterMilliseconds?: number): void;
}
