/** Reading requests and sending replies, as every family does. */
import { type AlinkRequest, formatAlinkReply, readAlinkRequest } from "@thingstead/dialects";
import type { Downlink } from "../../messages/index.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { Uplink } from "./uplink.ts";

export interface AnswerPorts {
  downlink: Pick<Downlink, "send">;
}

export interface Answer {
  /** Of alibaba-device.md, 5.11. */
  code: number;
  data?: unknown;
  /** `success` unless given. */
  message?: string;
}

/** `method` of the reply, from the topic when the request has none: `thing/event/property/post` is `thing.event.property.post`. */
export function methodOf(topic: string): string {
  return topic.split("/").slice(4).join(".");
}

/** The request, or undefined when it was answered with what is wrong with it and the device log was told. */
export function readRequest(ports: AnswerPorts, uplink: Uplink, problems: Pick<DeviceProblems, "malformed">): AlinkRequest | undefined {
  const request = readAlinkRequest(uplink.payload);
  if (request.kind === "request") return request;
  const { code, message, id = "" } = request;
  problems.malformed(uplink, `${uplink.payload.length} bytes`, message);
  send(ports, uplink, formatAlinkReply({ id, code, message, method: methodOf(uplink.topic) }));
  return undefined;
}

/** On `<topic>_reply` with the QoS of the request, unless the device wants none (`sys.ack` 0). */
export function reply(ports: AnswerPorts, uplink: Uplink, request: AlinkRequest, answer: Answer): void {
  if (!request.wantsReply) return;
  const { id, method = methodOf(uplink.topic) } = request;
  send(ports, uplink, formatAlinkReply({ id, method, ...answer }));
}

function send({ downlink }: AnswerPorts, { device, topic, qos }: Uplink, payload: Uint8Array): void {
  const { productKey, deviceName } = device;
  downlink.send({ productKey, deviceName, topic: `${topic}_reply`, payload, qos: qos === 0 ? 0 : 1 });
}
