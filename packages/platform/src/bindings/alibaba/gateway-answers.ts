/** Reading and answering what gateways say, with the codes of alibaba-device.md, 5.11 and 6. */
import { type AlinkRequest, type DeviceNames, formatAlinkReply, readAlinkRequest, readSubDeviceNames } from "@thingstead/dialects";
import type { Downlink } from "../../messages/index.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { Uplink, UplinkHandler } from "./uplink.ts";

/** An answer "no". */
export class GatewayRefusal {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    this.code = code;
    this.message = message;
    this.data = data;
  }
}

export interface GatewayAnswerPorts {
  downlink: Pick<Downlink, "send">;
  problems: Pick<DeviceProblems, "refused" | "malformed">;
  /** A store failed: the gateway is told 500. */
  onFailure(error: unknown): void;
}

/** What a request is answered with; a refusal or the `data` of a success. */
export type GatewayAction = (uplink: Uplink, params: unknown) => Promise<GatewayRefusal | object>;

/** Parses before it waits: the payload is good during the call only. */
export function createGatewayHandler(ports: GatewayAnswerPorts, action: GatewayAction, method?: string): UplinkHandler {
  function answer(uplink: Uplink, request: Pick<AlinkRequest, "id" | "wantsReply">, code: number, message: string, data: unknown): void {
    if (!request.wantsReply) return;
    const { productKey, deviceName } = uplink.device;
    const payload = formatAlinkReply({ id: request.id, code, message, data, ...(method === undefined ? {} : { method }) });
    ports.downlink.send({ productKey, deviceName, topic: `${uplink.topic}_reply`, payload, qos: uplink.qos === 0 ? 0 : 1 });
  }

  async function run(uplink: Uplink, request: AlinkRequest): Promise<void> {
    let outcome: GatewayRefusal | object;
    try {
      outcome = uplink.device.gateway === undefined ? await action(uplink, request.params) : notAGateway;
    } catch (error) {
      ports.onFailure(error);
      outcome = new GatewayRefusal(500, "system exception");
    }
    if (outcome instanceof GatewayRefusal) {
      ports.problems.refused(uplink, outcome.code, outcome.message);
      answer(uplink, request, outcome.code, outcome.message, outcome.data ?? {});
    } else answer(uplink, request, 200, "success", outcome);
  }

  return (uplink) => {
    const request = readAlinkRequest(uplink.payload);
    if (request.kind === "request") return run(uplink, request);
    ports.problems.malformed(uplink, `${uplink.payload.length} bytes`, request.message);
    answer(uplink, { id: request.id ?? "", wantsReply: true }, request.code, request.message, {});
    return undefined;
  };
}

const notAGateway = new GatewayRefusal(460, "a sub-device is no gateway");

/** The devices that a list names; refuses an empty one, one that is too long and one with anything else in it. */
export function readNames(params: unknown, itemsMax: number): DeviceNames[] | GatewayRefusal {
  const items = readItems(params, itemsMax);
  if (items instanceof GatewayRefusal) return items;
  const names = items.map(readSubDeviceNames);
  const isWhole = names.every((each): each is DeviceNames => each !== undefined);
  return isWhole ? names : new GatewayRefusal(460, "params must be a list of productKey and deviceName");
}

export function readItems(params: unknown, itemsMax: number): unknown[] | GatewayRefusal {
  if (!Array.isArray(params) || params.length === 0) return new GatewayRefusal(460, "params must be a list that is not empty");
  return params.length > itemsMax ? new GatewayRefusal(460, `params has ${params.length} items, at most ${itemsMax} are allowed`) : params;
}
