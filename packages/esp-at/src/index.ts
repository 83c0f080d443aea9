/** A software ESP-AT modem. */
export { type Clock, type Random, systemClock, systemRandom } from "./clock.ts";
export { commandFamilies } from "./commands/index.ts";
export { openPty, type PtyDoor, type PtyDoorOptions, PtyError } from "./doors/pty-door.ts";
export { attachModem, type ModemMaker, type StreamDoorOptions } from "./doors/stream-door.ts";
export { listenForHosts, type TcpDoor, type TcpDoorOptions } from "./doors/tcp-door.ts";
export { type ModemFaults, type TlsFault, tlsFaults } from "./faults.ts";
export { createFileStorage } from "./file-storage.ts";
export type { CertificateKind, CertificateUse } from "./flash.ts";
export { defaultModemLimits, type ModemLimits } from "./limits.ts";
export { type Certificate, createModem, type Modem, type ModemOptions } from "./modem.ts";
export { createMemoryStorage, type Storage, type StoredState } from "./ports/storage.ts";
export { type ModemVersion, modemVersions } from "./profile.ts";
export type { HostMap, HostMapping } from "./station-network.ts";
export { type AccessPoint, defaultWifiWorld, type WifiWorld } from "./wifi-station.ts";
