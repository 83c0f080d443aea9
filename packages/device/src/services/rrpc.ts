/** Questions that the cloud waits for. Source: alibaba-device.md, 8.4 and 5.6. */
import { readAlinkRequest, serviceOfMethod } from "@thingstead/dialects";
import { DeviceError } from "../errors.ts";
import type { Link, Stop } from "../link.ts";
import type { MessageHandler, ReceivedMessage } from "../subscriptions.ts";
import type { Reply } from "./thing.ts";

/** What came, and on which topic: the custom topic itself for RRPC on custom topics. */
export interface RrpcRequest {
  topic: string;
  payload: Buffer;
}

export type RrpcHandler = (request: RrpcRequest) => string | Uint8Array | Promise<string | Uint8Array>;

type ServiceAnswerer = (topic: string, payload: Uint8Array) => Promise<Reply | undefined>;

/**
 * Who answers what comes on the one topic that system RRPC and synchronous services share: a service that was registered,
 * else the application's handler.
 */
export class RrpcDesk {
  readonly #link: Link;
  readonly #services = new Map<string, ServiceAnswerer>();
  #handler: RrpcHandler | undefined;
  #listening: Promise<Stop> | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  serveService(service: string, answerer: ServiceAnswerer): Promise<Stop> {
    this.#services.set(service, answerer);
    return this.#begin(() => {
      if (this.#services.get(service) === answerer) this.#services.delete(service);
    });
  }

  serveRequests(handler: RrpcHandler): Promise<Stop> {
    this.#handler = handler;
    return this.#begin(() => {
      if (this.#handler === handler) this.#handler = undefined;
    });
  }

  /** Subscribes with the first who serves, unsubscribes with the last who leaves. */
  async #begin(leave: () => void): Promise<Stop> {
    const { productKey, deviceName } = this.#link;
    this.#listening ??= this.#link.listen(`/sys/${productKey}/${deviceName}/rrpc/request/+`, (message) => void this.#receive(message));
    const listening = this.#listening;
    try {
      await listening;
    } catch (error) {
      leave();
      if (this.#listening === listening) this.#listening = undefined;
      throw error;
    }
    return async () => {
      leave();
      if (this.#services.size > 0 || this.#handler !== undefined || this.#listening === undefined) return;
      this.#listening = undefined;
      await (await listening)();
    };
  }

  async #receive({ topic, payload }: ReceivedMessage): Promise<void> {
    const replyTopic = topic.replace("/rrpc/request/", "/rrpc/response/");
    const request = readAlinkRequest(payload);
    const service = request.kind === "request" && request.method !== undefined ? serviceOfMethod(request.method) : undefined;
    const answerer = service === undefined ? undefined : this.#services.get(service);
    if (answerer !== undefined) {
      const reply = await answerer(topic, payload);
      if (reply !== undefined) await respond(this.#link, replyTopic, () => reply.payload);
    } else if (this.#handler !== undefined) {
      const handler = this.#handler;
      await respond(this.#link, replyTopic, () => handler({ topic, payload }));
    }
  }
}

/** Responses go out with QoS 0 (8.4). A handler that fails answers nothing: the caller's time runs out. */
async function respond(link: Link, topic: string, answer: () => ReturnType<RrpcHandler>): Promise<void> {
  try {
    const payload = await answer();
    await link.publish(topic, payload, { qos: 0 });
  } catch (error) {
    link.tell(
      error instanceof DeviceError ? error : new DeviceError("device.handler_failed", { topic, reason: String(error) }, { cause: error }),
    );
  }
}

/** `device.rrpc`: the cloud asks and waits up to eight seconds. */
export class RrpcClient {
  readonly #link: Link;
  readonly #desk: RrpcDesk;

  constructor(link: Link, desk: RrpcDesk) {
    this.#link = link;
    this.#desk = desk;
  }

  /** Answers system RRPC. One handler at a time; synchronous services that were registered do not come here. */
  onRequest(handler: RrpcHandler): Promise<Stop> {
    return this.#desk.serveRequests(handler);
  }

  /**
   * Answers RRPC on a custom topic of the device. Needs `acceptsCustomRrpc` in the options, which tells the cloud so.
   *
   * @throws DeviceError `device.option_missing`
   */
  async onCustomRequest(topic: string, handler: RrpcHandler): Promise<Stop> {
    if (!this.#link.acceptsCustomRrpc) throw new DeviceError("device.option_missing", { option: "acceptsCustomRrpc", expected: "true" });
    const receive: MessageHandler = ({ topic: asked, payload }) => {
      const own = asked.slice(asked.indexOf("/", "/ext/rrpc/".length));
      void respond(this.#link, asked, () => handler({ topic: own, payload }));
    };
    return this.#link.listen(`/ext/rrpc/+${topic}`, receive);
  }
}
