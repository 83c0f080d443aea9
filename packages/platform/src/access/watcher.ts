/** Cuts what the registry took away: sessions of disabled and deleted devices, rights of changed topic classes. */
import type { Broker, Refusal } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import type { Registry } from "../registry/index.ts";
import type { AccessLimits } from "./limits.ts";
import { sessionIdOf } from "./subject.ts";
import type { TokenStore } from "./tokens.ts";
import type { TopicBook } from "./topic-book.ts";

export interface AccessWatcherPorts {
  registry: Pick<Registry, "onChange" | "findDevice">;
  broker: Pick<Broker, "kick" | "endSession" | "forgetGrants" | "isConnected">;
  topicBook: TopicBook;
  tokens: Pick<TokenStore, "deleteForDevice">;
  clock: Pick<Clock, "after">;
  limits: Pick<AccessLimits, "cutRecheckMilliseconds">;
  onFailure(error: unknown): void;
}

export interface AccessWatcher {
  /** Ends the pending second looks. */
  close(): void;
}

/** Works from the moment it is created. */
export function createAccessWatcher(ports: AccessWatcherPorts): AccessWatcher {
  const { registry, broker, topicBook, tokens } = ports;
  const pending = new Set<() => void>();

  /** A CONNECT may have passed its checks just before the change and be admitted just after the cut. */
  function lookAgain(task: () => Promise<void>): void {
    const cancel = ports.clock.after(ports.limits.cutRecheckMilliseconds, () => {
      pending.delete(cancel);
      task().catch(ports.onFailure);
    });
    pending.add(cancel);
  }

  function disabled(productKey: string, deviceName: string): void {
    const sessionId = sessionIdOf(productKey, deviceName);
    const refusal: Refusal = { code: "access.device_disabled", received: sessionId };
    // Subscriptions and queue stay: a device that is enabled again goes on where it was.
    broker.kick(sessionId, "kicked", refusal);
    lookAgain(async () => {
      const device = await registry.findDevice(productKey, deviceName);
      if (device?.isEnabled === false && broker.isConnected(sessionId)) broker.kick(sessionId, "kicked", refusal);
    });
  }

  function deleted(productKey: string, deviceName: string): void {
    const sessionId = sessionIdOf(productKey, deviceName);
    const refusal: Refusal = { code: "access.device_deleted", received: sessionId };
    broker.endSession(sessionId, "kicked", refusal);
    tokens.deleteForDevice(productKey, deviceName).catch(ports.onFailure);
    lookAgain(async () => {
      const device = await registry.findDevice(productKey, deviceName);
      if (device === undefined) broker.endSession(sessionId, "kicked", refusal);
    });
  }

  /** It registers itself anew: what its old credentials opened ends. */
  function reset(productKey: string, deviceName: string): void {
    const sessionId = sessionIdOf(productKey, deviceName);
    broker.endSession(sessionId, "kicked", { code: "access.device_reset", received: sessionId });
  }

  async function topicsChanged(productKey: string): Promise<void> {
    await topicBook.refresh(productKey);
    broker.forgetGrants();
  }

  registry.onChange((change) => {
    switch (change.kind) {
      case "device.disabled":
        return disabled(change.productKey, change.deviceName);
      case "device.deleted":
        return deleted(change.productKey, change.deviceName);
      case "device.reset":
        return reset(change.productKey, change.deviceName);
      case "topics.changed":
        topicsChanged(change.productKey).catch(ports.onFailure);
        return;
      case "product.deleted":
        return topicBook.close(change.productKey);
      case "device.created":
      case "device.enabled":
      case "product.created":
        return;
    }
  });

  return {
    close() {
      for (const cancel of pending) cancel();
      pending.clear();
    },
  };
}
