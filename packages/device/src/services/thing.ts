/** What the device is, does and tells of, by its thing model. Source: alibaba-device.md, 5. */
import { formatDeviceReply, readAlinkRequest } from "@thingstead/dialects";
import type { ThingTypes } from "@thingstead/thing-model";
import { DeviceError } from "../errors.ts";
import type { Link, Stop } from "../link.ts";
import { isMembers, membersOf, numberOf } from "../members.ts";
import type { Requests } from "../requests.ts";
import type { ReceivedMessage } from "../subscriptions.ts";
import type { RrpcDesk } from "./rrpc.ts";

type Name<T> = Extract<keyof T, string>;
type Service<T extends ThingTypes, S extends Name<T["services"]>> = T["services"][S];
/** The input of a service; a model made by hand may leave it out. */
export type ServiceInput<T extends ThingTypes, S extends Name<T["services"]>> = Service<T, S> extends { input: infer I } ? I : unknown;
export type ServiceOutput<T extends ThingTypes, S extends Name<T["services"]>> = Service<T, S> extends { output: infer O } ? O : object;
/** Properties that can be set. */
export type Settable<T extends ThingTypes> = Partial<Pick<T["properties"], Extract<T["writable"], keyof T["properties"]>>>;

/** A device without a model in TypeScript: any name, any value. */
export interface AnyThing {
  properties: Record<string, unknown>;
  writable: string;
  events: Record<string, Record<string, unknown>>;
  services: Record<string, { callType: "sync" | "async"; input: Record<string, unknown>; output: Record<string, unknown> }>;
}

export interface Timed<V> {
  value: V;
  /** Milliseconds since the epoch. */
  time: number;
}

export interface Batch<T extends ThingTypes> {
  properties?: { [P in Name<T["properties"]>]?: readonly Timed<T["properties"][P]>[] };
  events?: { [E in Name<T["events"]>]?: readonly Timed<T["events"][E]>[] };
}

/** What the cloud found wrong with values that it took otherwise: name -> its words. */
export type ReportRemarks = Readonly<Record<string, string>>;

export interface DesiredValue<V> {
  value: V;
  version: number;
}

/** Thrown by a handler to answer with a code of the device's own (100000 to 110000). */
export class ThingFault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    if (!Number.isInteger(code) || code < 100_000 || code > 110_000) {
      throw new DeviceError("device.argument_invalid", {
        argument: "code",
        received: code,
        expected: "a whole number from 100000 to 110000",
      });
    }
    this.name = "ThingFault";
    this.code = code;
  }
}

/** The code of an answer whose handler failed in a way that it did not foresee (5.11). */
const handlerFailedCode = 500;
const parameterCode = 460;

/**
 * The device by its thing model. `T` is what `thingstead tsl types` writes: a property, event, service or value that the model
 * does not have does not compile.
 *
 * @example
 * const lamp = device.thing<Lamp>();
 * await lamp.onPropertySet((values) => apply(values));
 * await lamp.onService("blink", async ({ seconds }) => ({ times: await blink(seconds) }));
 * await lamp.report({ LightSwitch: 1 });
 * await lamp.tell("alarm", { code: 7 });
 */
export class ThingClient<T extends ThingTypes> {
  readonly #link: Link;
  readonly #requests: Requests;
  readonly #rrpc: RrpcDesk;

  constructor(link: Link, requests: Requests, rrpc: RrpcDesk) {
    this.#link = link;
    this.#requests = requests;
    this.#rrpc = rrpc;
  }

  /**
   * Reports values; resolves when the cloud has answered, with its remarks on values that do not fit the model.
   *
   * @throws DeviceError what {@link Requests.ask} throws
   */
  async report(values: Partial<T["properties"]>, options: { time?: number; timeoutMilliseconds?: number } = {}): Promise<ReportRemarks> {
    const { time, ...asked } = options;
    const params = time === undefined ? values : Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, time }]));
    return remarksOf(await this.#requests.ask("thing/event/property/post", params, asked));
  }

  /** Reports values and asks for no answer: resolves with the PUBACK. */
  async reportSilently(values: Partial<T["properties"]>): Promise<void> {
    await this.#requests.post("thing/event/property/post", values);
  }

  /** Tells of an event. Without `time` the cloud's clock counts. */
  async tell<E extends Name<T["events"]>>(
    event: E,
    output: T["events"][E],
    options: { time?: number; timeoutMilliseconds?: number } = {},
  ): Promise<void> {
    const { time, ...asked } = options;
    await this.#requests.ask(`thing/event/${event}/post`, { value: output, ...(time === undefined ? {} : { time }) }, asked);
  }

  /** Many values and events of different times in one message (5.8). */
  async reportBatch(batch: Batch<T>): Promise<ReportRemarks> {
    const { properties = {}, events = {} } = batch;
    return remarksOf(await this.#requests.ask("thing/event/property/batch/post", { properties, events }));
  }

  /** Values and events of the past: kept as history, without changing what the device is now (5.8). */
  async reportHistory(batch: Batch<T>): Promise<void> {
    const { productKey, deviceName } = this.#link;
    const spread = (group: object) =>
      Object.entries(group).flatMap(([name, records]) => (Array.isArray(records) ? records.map((record) => ({ [name]: record })) : []));
    const params = [
      { identity: { productKey, deviceName }, properties: spread(batch.properties ?? {}), events: spread(batch.events ?? {}) },
    ];
    await this.#requests.ask("thing/event/property/history/post", params);
  }

  /**
   * Takes settings. The cloud is answered when the handler is done; with `reportsBack` the values are then reported as what
   * the device now is. A handler that throws a {@link ThingFault} answers with its code.
   */
  onPropertySet(handler: (values: Settable<T>) => void | Promise<void>, options: { reportsBack?: boolean } = {}): Promise<Stop> {
    const topic = this.#requests.sys("thing/service/property/set");
    return this.#serve(topic, async (params) => {
      if (!isMembers(params)) throw new MalformedRequest("params must be an object");
      // The cloud sends what the model allows; a value outside of it is the handler's to refuse.
      await handler(params as Settable<T>);
      const afterwards = () => this.#requests.ask("thing/event/property/post", params);
      return { data: {}, ...(options.reportsBack === true ? { afterwards } : {}) };
    });
  }

  /** Answers the cloud's questions for values as they are now (5.4). */
  onPropertyGet(handler: (names: Name<T["properties"]>[]) => Partial<T["properties"]> | Promise<Partial<T["properties"]>>): Promise<Stop> {
    const topic = this.#requests.sys("thing/service/property/get");
    return this.#serve(topic, async (params) => {
      if (!Array.isArray(params)) throw new MalformedRequest("params must be a list of names");
      return { data: await handler(params.filter((name) => typeof name === "string") as Name<T["properties"]>[]) };
    });
  }

  /** Does what the device can be asked to do; what the handler returns goes back. Calls of both types come here. */
  async onService<S extends Name<T["services"]>>(
    service: S,
    handler: (input: ServiceInput<T, S>) => ServiceOutput<T, S> | Promise<ServiceOutput<T, S>>,
  ): Promise<Stop> {
    const work = async (params: unknown) => {
      if (!isMembers(params)) throw new MalformedRequest("params must be an object");
      return { data: await handler(params as ServiceInput<T, S>) };
    };
    const answer = (topic: string, payload: Uint8Array) => this.#answer(topic, payload, work);
    const stops = [await this.#rrpc.serveService(service, answer)];
    const topic = this.#requests.sys(`thing/service/${service}`);
    stops.push(await this.#serve(topic, work));
    if (this.#link.acceptsCustomRrpc) stops.push(await this.#serve(`/ext/rrpc/+${topic}`, work));
    return async () => {
      for (const stop of stops) await stop();
    };
  }

  /** What programs want the device to be: all properties of `names` that have a desired value (5.9). */
  async desired<P extends Name<T["properties"]>>(names: readonly P[]): Promise<{ [N in P]?: DesiredValue<T["properties"][N]> }> {
    const data = membersOf(await this.#requests.ask("thing/property/desired/get", names));
    const known = Object.entries(data).flatMap(([name, one]) => {
      const { value, version } = membersOf(one);
      return value === undefined ? [] : [[name, { value, version: numberOf(version) ?? 0 }]];
    });
    return Object.fromEntries(known);
  }

  /** Forgets desired values that were met; with a version only if it is still the current one (5.9). */
  async clearDesired(versions: { [P in Name<T["properties"]>]?: number | undefined }): Promise<void> {
    const params = Object.fromEntries(
      Object.entries(versions).map(([name, version]) => [name, typeof version === "number" ? { version } : {}]),
    );
    await this.#requests.ask("thing/property/desired/delete", params);
  }

  /** The thing model that the cloud has for the device, as the vendor's TSL (5.12). */
  async model(): Promise<unknown> {
    return this.#requests.ask("thing/dsltemplate/get", {});
  }

  #serve(filter: string, work: Work): Promise<Stop> {
    return this.#link.listen(filter, ({ topic, payload }: ReceivedMessage) => {
      // RRPC is answered where it was asked (5.6).
      const replyTopic = topic.startsWith("/ext/rrpc/") ? topic : `${topic}_reply`;
      void this.#answer(topic, payload, work).then((reply) => this.#send(replyTopic, reply));
    });
  }

  /** Does the work and makes the reply; undefined for what is no request. */
  async #answer(topic: string, payload: Uint8Array, work: Work): Promise<Reply | undefined> {
    const request = readAlinkRequest(payload);
    if (request.kind === "refused") {
      this.#link.tell(new DeviceError("device.message_malformed", { topic, expected: "a request with id and params" }));
      return undefined;
    }
    try {
      const { data, afterwards } = await work(request.params);
      return { payload: formatDeviceReply({ id: request.id, code: 200, data }), ...(afterwards === undefined ? {} : { afterwards }) };
    } catch (error) {
      return { payload: formatDeviceReply({ id: request.id, ...this.#failure(topic, error) }) };
    }
  }

  #failure(topic: string, error: unknown): { code: number; message: string } {
    if (error instanceof MalformedRequest) return { code: parameterCode, message: error.message };
    if (error instanceof ThingFault) return { code: error.code, message: error.message };
    // Unforeseen: the device's owner is told what it was, the cloud only that it was.
    this.#link.tell(new DeviceError("device.handler_failed", { topic, reason: String(error) }, { cause: error }));
    return { code: handlerFailedCode, message: "the device failed" };
  }

  async #send(topic: string, reply: Reply | undefined): Promise<void> {
    if (reply === undefined) return;
    try {
      await this.#link.publish(topic, reply.payload, { qos: topic.startsWith("/ext/rrpc/") ? 0 : 1 });
      await reply.afterwards?.();
    } catch (error) {
      if (error instanceof DeviceError) this.#link.tell(error);
    }
  }
}

export interface Reply {
  payload: Uint8Array;
  /** Done when the reply was sent. */
  afterwards?: () => Promise<unknown>;
}

type Work = (params: unknown) => Promise<{ data: unknown; afterwards?: () => Promise<unknown> }>;

class MalformedRequest extends Error {}

function remarksOf(data: unknown): ReportRemarks {
  return Object.fromEntries(Object.entries(membersOf(data)).map(([name, remark]) => [name, String(remark)]));
}
