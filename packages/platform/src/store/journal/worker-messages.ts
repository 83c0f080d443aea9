/** What the journal and its worker say to each other. */
export interface WorkerSettings {
  file: string;
  lockWaitMilliseconds: number;
  retryMilliseconds: number;
  fileBytesMax: number;
}

export type WorkerRequest = { name: "commit"; number: number; memory: ArrayBuffer; length: number; forgetUpTo: number } | { name: "close" };

export type WorkerReport =
  | { name: "batch"; number: number; bytes: Uint8Array }
  | { name: "loaded" }
  | { name: "damaged"; problem: string }
  | { name: "openFailed"; driverCode: string; problem: string }
  /** `memory` comes back for the next batch. */
  | { name: "committed"; number: number; memory: ArrayBuffer }
  | { name: "failed"; driverCode: string; problem: string }
  | { name: "closed" };
