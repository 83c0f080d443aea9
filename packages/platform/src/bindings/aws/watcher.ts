/** Cuts what was taken away: sessions of deactivated certificates and disabled things; looks rights up anew when they changed. */
import type { Broker, Refusal } from "@thingstead/mqtt";
import type { Clock } from "../../clock.ts";
import type { CertificateStatus, Fleet, FleetChange } from "../../fleet/index.ts";
import type { Registry } from "../../registry/index.ts";
import type { AwsSession, AwsSessionBook } from "./session-book.ts";

export interface AwsWatcherPorts {
  fleet: Pick<Fleet, "certificates" | "onChange" | "productKey">;
  registry: Pick<Registry, "onChange" | "peekDevice">;
  book: AwsSessionBook;
  broker: () => Pick<Broker, "kick">;
  clock: Pick<Clock, "after">;
  limits: { cutRecheckMilliseconds: number };
  onFailure(error: unknown): void;
}

/** Works from the moment it is created. */
export function createAwsWatcher(ports: AwsWatcherPorts): { close(): void } {
  const { fleet, registry, book } = ports;
  const pending = new Set<() => void>();

  /** A CONNECT may have passed its checks just before the change and be admitted just after the cut. */
  function lookAgain(task: () => void | Promise<void>): void {
    const cancel = ports.clock.after(ports.limits.cutRecheckMilliseconds, () => {
      pending.delete(cancel);
      Promise.resolve(task()).catch(ports.onFailure);
    });
    pending.add(cancel);
  }

  const cut = (sessions: readonly AwsSession[], refusal: Refusal): void => {
    for (const { sessionId } of sessions) ports.broker().kick(sessionId, "kicked", refusal);
  };

  function deactivated(id: string, status: CertificateStatus | "DELETED"): void {
    const refusal = { code: "access.certificate_inactive", received: `${id}: ${status}`, expected: "ACTIVE" };
    cut(book.ofCertificate(id), refusal);
    lookAgain(async () => {
      if ((await fleet.certificates.find(id))?.status !== "ACTIVE") cut(book.ofCertificate(id), refusal);
    });
  }

  function disabled(deviceName: string): void {
    const refusal = { code: "access.device_disabled", received: deviceName };
    cut(ofThing(deviceName), refusal);
    lookAgain(() => {
      if (registry.peekDevice(fleet.productKey, deviceName)?.isEnabled === false) cut(ofThing(deviceName), refusal);
    });
  }

  /** Named by its client id, or the one its certificate is exclusive to. */
  function ofThing(name: string): AwsSession[] {
    return book.all().filter(({ subject }) => subject.clientId === name || subject.device?.deviceName === name);
  }

  function looksAnew(sessions: readonly AwsSession[]): void {
    book.noteChange();
    book.refresh(sessions);
  }

  function changed(change: FleetChange): void {
    switch (change.kind) {
      case "certificate.status":
        if (change.status !== "ACTIVE") deactivated(change.certificateId, change.status);
        return;
      case "permissions":
        looksAnew(change.certificateId === undefined ? book.all() : book.ofCertificate(change.certificateId));
        return;
      case "thing.created":
      case "thing.updated":
      case "thing.deleted":
      case "thing.type_added":
      case "thing.type_removed":
      case "group.thing_added":
      case "group.thing_removed":
        looksAnew(ofThing(change.thing.name));
        return;
      case "type.created":
      case "type.updated":
      case "type.deleted":
      case "group.created":
      case "group.updated":
      case "group.deleted":
      case "group.child_added":
      case "group.child_removed":
      case "certificate.registered":
        return;
    }
  }

  fleet.onChange(changed);
  registry.onChange((change) => {
    if (change.kind === "device.disabled" && change.productKey === fleet.productKey) disabled(change.deviceName);
  });
  return {
    close() {
      for (const cancel of pending) cancel();
      pending.clear();
    },
  };
}
