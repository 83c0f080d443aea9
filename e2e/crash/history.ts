/** What publishers and subscribers saw: the only thing the checker knows. */
export interface Published {
  publisher: string;
  topic: string;
  /** Counts from 1 per publisher and topic. */
  number: number;
  qos: 1 | 2;
  /** How often its PUBLISH was handed to a connection. */
  transmissions: number;
  isAcknowledged: boolean;
  isRetained: boolean;
}

export interface Delivered {
  subscriber: string;
  topic: string;
  publisher: string;
  number: number;
  /** Of the delivery. */
  qos: 0 | 1 | 2;
  isDuplicate: boolean;
  /** Counts the subscriber's connections. */
  connection: number;
}

export interface Reconnected {
  client: string;
  isSessionPresent: boolean;
}

export class History {
  readonly published = new Map<string, Published>();
  readonly delivered: Delivered[] = [];
  readonly reconnected: Reconnected[] = [];
  /** Persistent subscribers: each is owed every message on the topics below its prefix. */
  readonly subscribers = new Map<string, string>();
  /** Topic -> number of the message found retained at the end. */
  readonly retained = new Map<string, number>();

  publish(message: Omit<Published, "transmissions" | "isAcknowledged">): Published {
    const published = { ...message, transmissions: 0, isAcknowledged: false };
    this.published.set(keyOf(message), published);
    return published;
  }
}

export function keyOf({ publisher, topic, number }: { publisher: string; topic: string; number: number }): string {
  return `${publisher} ${topic} ${number}`;
}

export function payloadOf({ publisher, number }: { publisher: string; number: number }): string {
  return JSON.stringify({ publisher, number });
}

export function parsePayload(bytes: Uint8Array): { publisher: string; number: number } {
  return JSON.parse(Buffer.from(bytes).toString()) as { publisher: string; number: number };
}
