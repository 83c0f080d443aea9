import type { Observer } from "./ports.ts";

/** An observer that looks away; give the events you want. */
export function createObserver(events: Partial<Observer> = {}): Observer {
  const nothing = (): void => {};
  return {
    connected: nothing,
    refused: nothing,
    disconnected: nothing,
    subscribed: nothing,
    subscribeRefused: nothing,
    unsubscribed: nothing,
    published: nothing,
    publishRefused: nothing,
    delivered: nothing,
    dropped: nothing,
    ...events,
  };
}
