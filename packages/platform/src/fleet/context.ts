/** What the parts of the fleet share. */
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { FleetChange } from "./fleet.ts";
import type { FleetLimits } from "./limits.ts";
import type { CertificateIssuer, FleetStore } from "./ports.ts";

export interface FleetContext {
  store: FleetStore;
  issuer: CertificateIssuer;
  checkPolicy(document: string): string | undefined;
  clock: Clock;
  random: Random;
  limits: FleetLimits;
  /** One change at a time: what one has checked no other changes meanwhile. */
  inTurn<T>(change: () => Promise<T>): Promise<T>;
  emit(change: FleetChange): void;
}

export interface ChangeListeners {
  add(listener: (change: FleetChange) => void): void;
  emit(change: FleetChange): void;
}

export function createChangeListeners(report: (problem: PlatformError) => void): ChangeListeners {
  const listeners: ((change: FleetChange) => void)[] = [];
  return {
    add: (listener) => void listeners.push(listener),
    emit(change) {
      for (const listener of listeners) {
        try {
          listener(change);
        } catch (cause) {
          // The change is stored: the caller must not be told otherwise, nor the other listeners go without.
          const problem = cause instanceof Error ? cause.message : String(cause);
          report(new PlatformError("fleet.listener_failed", { change: change.kind, problem }, { cause }));
        }
      }
    },
  };
}

export function createTurns(): FleetContext["inTurn"] {
  let last: Promise<unknown> = Promise.resolve();
  return (change) => {
    const result = last.then(change, change);
    last = result;
    return result;
  };
}
