/** What can be made to go wrong, at start or while the modem runs. */

/** What certificates do: as they should, the server's issuer is not the one that is known, or our own is missing or damaged. */
export const tlsFaults = ["none", "untrusted-server", "no-client-certificate", "damaged-client-certificate"] as const;
export type TlsFault = (typeof tlsFaults)[number];

export interface ModemFaults {
  tls: TlsFault;
  /** No time server answers: the clock stays in 1970. */
  hasNoTimeServer: boolean;
  /** Added to everything that is sent and received. */
  linkDelayMilliseconds: number;
  /** Each way; 0 is as fast as it comes. */
  linkBytesPerSecond: number;
}

export const noFaults: ModemFaults = { tls: "none", hasNoTimeServer: false, linkDelayMilliseconds: 0, linkBytesPerSecond: 0 };
