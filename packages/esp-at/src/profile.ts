/** Firmware versions that the modem can be. Their order is the order of release. [ESP-AT 9] */
export const modemVersions = ["v2.2", "v3.2", "v4.1"] as const;
export type ModemVersion = (typeof modemVersions)[number];

export interface VersionProfile {
  version: ModemVersion;
  /** Answer of AT+GMR; drivers look for ` - ESP32 - `. */
  identity: readonly string[];
  lwtMessageBytesMax: number;
  /** Certificates: a partition each, or items of a key-value store as well. */
  flashLayout: "partitions" | "manufacturing-nvs";
  tellsTimeUpdates: boolean;
  /** AT+RST=<mode>. */
  hasResetMode: boolean;
}

export const versionProfiles: Readonly<Record<ModemVersion, VersionProfile>> = {
  "v2.2": {
    version: "v2.2",
    identity: [
      "AT version:2.2.0.0(b097cdf - ESP32 - Jun 17 2021 12:58:45)",
      "SDK version:v4.2.2-76-gefa6eca",
      "compile time(3a696ba):Jul  2 2021 11:54:43",
      "Bin version:2.2.0(WROOM-32)",
    ],
    lwtMessageBytesMax: 64,
    flashLayout: "partitions",
    tellsTimeUpdates: false,
    hasResetMode: false,
  },
  "v3.2": {
    version: "v3.2",
    identity: [
      "AT version:3.2.0.0(s-ec2dec2 - ESP32 - Jul 28 2023 07:05:28)",
      "SDK version:v5.0.2-376-g24b9d38a24-dirty",
      "compile time(6118fc22):Jul 28 2023 09:47:28",
      "Bin version:v3.2.0.0(WROOM-32)",
    ],
    lwtMessageBytesMax: 128,
    flashLayout: "manufacturing-nvs",
    tellsTimeUpdates: true,
    hasResetMode: true,
  },
  "v4.1": {
    version: "v4.1",
    identity: [
      "AT version:4.1.1.0(s-cd52f4a - ESP32 - May 13 2025 06:58:28)",
      "SDK version:v5.4.1-643-g8ad0d3d8f2-dirty",
      "compile time(1ba9d6f1):May 14 2025 10:41:38",
      "Bin version:v4.1.1.0(WROOM-32)",
    ],
    lwtMessageBytesMax: 128,
    flashLayout: "manufacturing-nvs",
    tellsTimeUpdates: true,
    hasResetMode: true,
  },
};

export function isBefore(version: ModemVersion, other: ModemVersion): boolean {
  return modemVersions.indexOf(version) < modemVersions.indexOf(other);
}
