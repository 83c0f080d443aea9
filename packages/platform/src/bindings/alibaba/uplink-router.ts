/** From a row of the system topic table to its handler. */
import type { Message, Tap } from "@thingstead/mqtt";
import type { DeviceSubject, SystemTopicHandler } from "../../access/index.ts";
import type { Uplink, UplinkDevice, UplinkHandler, UplinkHandlers } from "./uplink.ts";

export interface UplinkRouterPorts {
  /** A handler threw or rejected: a fault of ours or of the world, never of the device. */
  onFailure(error: unknown): void;
}

export interface UplinkRouter extends SystemTopicHandler {
  /** Before the broker starts. A second handler for a row is a fault of ours. */
  add(family: UplinkHandlers): void;
}

export function createUplinkRouter({ onFailure }: UplinkRouterPorts): UplinkRouter {
  const handlers = new Map<string, UplinkHandler>();
  return {
    add(family) {
      for (const [row, handler] of Object.entries(family)) {
        if (handlers.has(row)) throw new Error(`two handlers for ${row}`);
        handlers.set(row, handler);
      }
    },
    tapsFor(row, topic, subject) {
      const handler = handlers.get(row);
      return handler === undefined ? undefined : [createTap(handler, deviceOf(subject), topic, partsOf(row, topic), onFailure)];
    },
  };
}

/** Made once for each session and topic. */
function createTap(
  handler: UplinkHandler,
  device: UplinkDevice,
  topic: string,
  parts: Uplink["parts"],
  onFailure: (error: unknown) => void,
): Tap {
  const failed = (error: unknown): never => {
    onFailure(error);
    // Not acknowledged: the device sends it again.
    throw error;
  };
  return ({ payload, qos, receivedAt }: Message) => {
    let wait: Promise<void> | undefined;
    try {
      wait = handler({ device, topic, parts, payload, qos, receivedAt });
    } catch (error) {
      onFailure(error);
      return qos > 0 ? Promise.reject(error) : undefined;
    }
    if (wait === undefined) return undefined;
    if (qos > 0) return wait.catch(failed);
    wait.catch(onFailure);
    return undefined;
  };
}

function deviceOf({ productKey, deviceName, iotId, gateway }: DeviceSubject): UplinkDevice {
  return { productKey, deviceName, iotId, ...(gateway === undefined ? {} : { gateway }) };
}

/** What the named levels of a row stand for: `${event}` in `…/thing/event/${event}/post`, `${service}` in `…/${service}_reply`. */
export function partsOf(row: string, topic: string): Uplink["parts"] {
  const parts: Record<string, string> = {};
  const texts = topic.split("/");
  const levels = row.split("/");
  for (const [index, level] of levels.entries()) {
    const named = /^\$\{(\w+)\}(.*)$/.exec(level);
    const text = texts[index];
    if (named?.[1] === undefined || text === undefined) continue;
    const suffix = named[2] ?? "";
    // The last level of the custom RRPC row stands for all that follows.
    const isOpen = index === levels.length - 1 && texts.length > levels.length;
    parts[named[1]] = isOpen ? texts.slice(index).join("/") : text.slice(0, text.length - suffix.length);
  }
  return parts;
}
