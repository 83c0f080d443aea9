/** Cuts what was taken away: sessions of disabled and deleted devices and of withdrawn certificates, rights of changed topic classes. */
import type { Broker, Refusal } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import type { Registry } from "../registry/index.ts";
import type { DeviceCertificates, RemovedCertificate } from "./device-certificates.ts";
import type { AccessLimits } from "./limits.ts";
import { isDeviceSubject, sessionIdOf } from "./subject.ts";
import type { TokenStore } from "./tokens.ts";
import type { TopicBook } from "./topic-book.ts";

export interface AccessWatcherPorts {
  registry: Pick<Registry, "onChange" | "findDevice">;
  broker: Pick<Broker, "kick" | "endSession" | "forgetGrants" | "isConnected" | "subjectOf">;
  certificates: Pick<DeviceCertificates, "list" | "onRemoved">;
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
  const { registry, broker, topicBook, tokens, certificates } = ports;
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

  function withdrawn({ productKey, deviceName, fingerprint }: RemovedCertificate): void {
    const sessionId = sessionIdOf(productKey, deviceName);
    const cut = () => {
      const subject = broker.subjectOf(sessionId);
      // One that has changed to another certificate before is left alone.
      if (!broker.isConnected(sessionId) || !isDeviceSubject(subject) || subject.certificate !== fingerprint) return;
      broker.kick(sessionId, "kicked", { code: "access.certificate_withdrawn", received: fingerprint });
    };
    cut();
    lookAgain(async () => {
      if ((await registry.findDevice(productKey, deviceName)) === undefined) return;
      const isBack = (await certificates.list(productKey, deviceName)).some((each) => each.fingerprint === fingerprint);
      if (!isBack) cut();
    });
  }

  certificates.onRemoved(withdrawn);
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
