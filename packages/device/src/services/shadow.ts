/** The device's shadow: what it reported and what programs desire, kept by the cloud. Source: alibaba-device.md, 8.1. */
import {
  formatShadowDelete,
  formatShadowGet,
  formatShadowUpdate,
  readShadowMessage,
  type ShadowMessage,
  type ShadowState,
} from "@thingstead/dialects";
import { DeviceError } from "../errors.ts";
import type { Link, Stop } from "../link.ts";
import type { ReceivedMessage } from "../subscriptions.ts";

export interface ShadowDocument {
  reported: ShadowState;
  desired: ShadowState;
  version: number;
}

/** The version that came is not greater than the stored one. */
const conflictCode = 409;
/** There is no document yet. */
const emptyCode = 407;

interface Waiting {
  clientToken: string;
  resolve(message: ShadowMessage): void;
  reject(error: DeviceError): void;
}

/** `device.shadow`. One request is on its way at a time: answers carry no id that every cloud returns. */
export class ShadowClient {
  readonly #link: Link;
  #listening: Promise<Stop> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Waiting | undefined;
  #turns = 0;
  #counter = 0;
  /** Of the stored document, as far as the device knows. */
  #version: number | undefined;
  #onChange: ((document: ShadowDocument) => void) | undefined;
  #isEnded = false;

  constructor(link: Link) {
    this.#link = link;
  }

  /** The document; an empty one of version 0 when there is none. @throws DeviceError `device.reply_refused`, `device.reply_timeout` */
  async get(): Promise<ShadowDocument> {
    try {
      const { reported, desired, version = 0 } = await this.#inTurn(() => this.#send(formatShadowGet));
      return { reported, desired, version };
    } catch (error) {
      if (error instanceof DeviceError && error.details.cloudCode === emptyCode) return { reported: {}, desired: {}, version: 0 };
      throw error;
    }
  }

  /**
   * Merges values into what is reported, and with `clearsDesired` forgets all that is desired. The version is chosen here: a
   * conflict is mended once by reading the stored one.
   */
  report(reported: ShadowState, options: { clearsDesired?: boolean } = {}): Promise<{ version: number }> {
    return this.#change((version, clientToken) => formatShadowUpdate({ reported, version, clientToken, ...options }));
  }

  /** Forgets all that is desired: it was met. */
  clearDesired(): Promise<{ version: number }> {
    return this.#change((version, clientToken) => formatShadowUpdate({ clearsDesired: true, version, clientToken }));
  }

  /** Deletes reported values; without names, all. */
  remove(names?: readonly string[]): Promise<{ version: number }> {
    return this.#change((version, clientToken) => formatShadowDelete({ version, clientToken, ...(names === undefined ? {} : { names }) }));
  }

  /** Tells what programs desire when it changes. While offline nothing comes: {@link get} after connecting. */
  async onChange(handler: (document: ShadowDocument) => void): Promise<Stop> {
    this.#onChange = handler;
    await this.#listen();
    return async () => {
      if (this.#onChange === handler) this.#onChange = undefined;
    };
  }

  end(): void {
    this.#isEnded = true;
    this.#waiting?.reject(new DeviceError("device.ended"));
  }

  /** A conflict is mended within the turn: another change must not come between reading the version and using it. */
  #change(format: (version: number, clientToken: string) => Uint8Array): Promise<{ version: number }> {
    const attempt = async () => {
      // Milliseconds, as the vendor's Node SDK has it: greater than whatever was counted up to from zero.
      const version = Math.max((this.#version ?? 0) + 1, this.#link.clock.now());
      await this.#send((clientToken) => format(version, clientToken));
      this.#version = version;
      return { version };
    };
    return this.#inTurn(async () => {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof DeviceError) || error.details.cloudCode !== conflictCode) throw error;
        await this.#send(formatShadowGet);
        return attempt();
      }
    });
  }

  async #inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.#turns >= this.#link.limits.requestsMax) throw new DeviceError("device.requests_full", { count: this.#turns });
    this.#turns += 1;
    const done = this.#last.then(task).finally(() => {
      this.#turns -= 1;
    });
    this.#last = done.catch(() => {});
    return done;
  }

  async #send(format: (clientToken: string) => Uint8Array): Promise<ShadowMessage> {
    const { productKey, deviceName, clock, limits } = this.#link;
    if (this.#isEnded) throw new DeviceError("device.ended");
    await this.#listen();
    const topic = `/shadow/update/${productKey}/${deviceName}`;
    this.#counter += 1;
    const clientToken = `${productKey}.${deviceName}-${this.#counter}`;
    const milliseconds = limits.requestTimeoutMilliseconds;
    let cancel = () => {};
    const answer = new Promise<ShadowMessage>((resolve, reject) => {
      this.#waiting = { clientToken, resolve, reject };
      cancel = clock.after(milliseconds, () => reject(new DeviceError("device.reply_timeout", { topic, milliseconds })));
    });
    try {
      // A publish may wait for the connection longer than the answer may take.
      const sent = this.#link.publish(topic, format(clientToken), { qos: 1 });
      const message = await Promise.race([answer, sent.then(() => answer)]);
      if (message.isSuccess) return message;
      throw new DeviceError("device.reply_refused", { topic, cloudCode: message.errorCode, cloudMessage: message.errorMessage });
    } finally {
      cancel();
      this.#waiting = undefined;
      answer.catch(() => {});
    }
  }

  #listen(): Promise<Stop> {
    if (this.#listening !== undefined) return this.#listening;
    const { productKey, deviceName } = this.#link;
    const listening = this.#link.listen(`/shadow/get/${productKey}/${deviceName}`, (message) => this.#receive(message));
    listening.catch(() => {
      this.#listening = undefined;
    });
    this.#listening = listening;
    return listening;
  }

  #receive({ topic, payload }: ReceivedMessage): void {
    const message = readShadowMessage(payload);
    if (message === undefined) {
      this.#link.tell(new DeviceError("device.message_malformed", { topic, expected: "a shadow message" }));
      return;
    }
    if (message.isSuccess && message.version !== undefined) this.#version = message.version;
    if (message.method === "control") {
      const { reported, desired, version = 0 } = message;
      this.#onChange?.({ reported, desired, version });
      return;
    }
    // A cloud that does not return the token is believed; one that does must return ours.
    if (message.clientToken === undefined || message.clientToken === this.#waiting?.clientToken) this.#waiting?.resolve(message);
  }
}
