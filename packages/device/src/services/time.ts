/** The cloud's time. Source: alibaba-device.md, 8.3. */
import { DeviceError } from "../errors.ts";
import type { Link, Stop } from "../link.ts";
import { membersOf, numberOf, textOf } from "../members.ts";
import type { ReceivedMessage } from "../subscriptions.ts";

export interface ServerTime {
  /** Milliseconds since the epoch by the cloud's clock, now. */
  time: number;
  /** What must be added to the device's clock. */
  offsetMilliseconds: number;
  roundTripMilliseconds: number;
}

/** `device.time`. Not for checking TLS certificates: the connection stands already (8.3). */
export class TimeClient {
  readonly #link: Link;
  #listening: Promise<Stop> | undefined;
  readonly #waiting = new Map<string, (answer: { received: number; sent: number }) => void>();
  #counter = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Asks for the time. @throws DeviceError `device.reply_timeout`, `device.requests_full` */
  async get(): Promise<ServerTime> {
    const { productKey, deviceName, clock, limits } = this.#link;
    const topic = `/ext/ntp/${productKey}/${deviceName}/request`;
    if (this.#waiting.size >= limits.requestsMax) throw new DeviceError("device.requests_full", { count: this.#waiting.size });
    await this.#listen(`/ext/ntp/${productKey}/${deviceName}/response`);
    const sentAt = clock.now();
    // Two questions in one millisecond must be told apart; the text need not be a time that is right.
    this.#counter = Math.max(this.#counter + 1, sentAt);
    const deviceSendTime = String(this.#counter);
    const milliseconds = limits.requestTimeoutMilliseconds;
    return new Promise((resolve, reject) => {
      const done = () => {
        cancel();
        this.#waiting.delete(deviceSendTime);
      };
      const fail = (error: unknown) => {
        done();
        reject(error);
      };
      const cancel = clock.after(milliseconds, () => fail(new DeviceError("device.reply_timeout", { topic, milliseconds })));
      this.#waiting.set(deviceSendTime, ({ received, sent }) => {
        done();
        const receivedAt = clock.now();
        const offsetMilliseconds = Math.round((received + sent - sentAt - receivedAt) / 2);
        const roundTripMilliseconds = receivedAt - sentAt - (sent - received);
        resolve({ time: receivedAt + offsetMilliseconds, offsetMilliseconds, roundTripMilliseconds });
      });
      this.#link.publish(topic, JSON.stringify({ deviceSendTime }), { qos: 0 }).catch(fail);
    });
  }

  #listen(topic: string): Promise<Stop> {
    if (this.#listening !== undefined) return this.#listening;
    const listening = this.#link.listen(topic, (message) => this.#receive(message));
    listening.catch(() => {
      this.#listening = undefined;
    });
    this.#listening = listening;
    return listening;
  }

  #receive({ payload }: ReceivedMessage): void {
    let answer: ReturnType<typeof membersOf>;
    try {
      answer = membersOf(JSON.parse(payload.toString()));
    } catch {
      return;
    }
    const received = numberOf(answer.serverRecvTime);
    const sent = numberOf(answer.serverSendTime);
    if (received !== undefined && sent !== undefined) this.#waiting.get(textOf(answer.deviceSendTime) ?? "")?.({ received, sent });
  }
}
