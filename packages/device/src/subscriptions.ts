/** What the device subscribed: filters, their handlers, and who of them gets a message. */
import { topicMatchesFilter } from "./topic-filter.ts";

export interface ReceivedMessage {
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
  /** Sent before: a QoS 1 message whose acknowledgement got lost. */
  isDuplicate: boolean;
}

export type MessageHandler = (message: ReceivedMessage) => void;

/** Filters of one SUBSCRIBE when subscriptions are made anew: the cloud's limit (reference section 3). */
const filtersPerSubscribeMax = 8;

/** A handler's fault stays loud, but is not thrown into the reading of packets, which would never go on. */
function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

export class Subscriptions {
  readonly #entries = new Map<string, { qos: 0 | 1; handlers: Set<MessageHandler> }>();
  readonly #onHandlerError: (error: unknown) => void;

  constructor(onHandlerError: (error: unknown) => void = throwOutside) {
    this.#onHandlerError = onHandlerError;
  }

  add(filter: string, qos: 0 | 1, handler: MessageHandler): void {
    const handlers = this.#entries.get(filter)?.handlers ?? new Set();
    this.#entries.set(filter, { qos, handlers: handlers.add(handler) });
  }

  /** Takes one handler away, and the filter with its last one. True when the filter is gone. */
  remove(filter: string, handler: MessageHandler): boolean {
    const handlers = this.#entries.get(filter)?.handlers;
    handlers?.delete(handler);
    if (handlers?.size === 0) this.#entries.delete(filter);
    return !this.#entries.has(filter);
  }

  delete(filter: string): void {
    this.#entries.delete(filter);
  }

  /** A handler that throws does not keep the message from the others. */
  dispatch(message: ReceivedMessage): void {
    for (const [filter, { handlers }] of this.#entries) {
      if (topicMatchesFilter(message.topic, filter)) for (const handler of handlers) this.guard(() => handler(message));
    }
  }

  /** Runs the application's code. */
  guard(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#onHandlerError(error);
    }
  }

  /** All filters in portions that one SUBSCRIBE may carry. */
  portions(): Record<string, { qos: 0 | 1 }>[] {
    const entries = [...this.#entries];
    const portions: Record<string, { qos: 0 | 1 }>[] = [];
    for (let start = 0; start < entries.length; start += filtersPerSubscribeMax) {
      const portion = entries.slice(start, start + filtersPerSubscribeMax);
      portions.push(Object.fromEntries(portion.map(([filter, { qos }]) => [filter, { qos }])));
    }
    return portions;
  }
}
