/** How the room of things calls devices (alibaba-device.md, 5.3, 5.6 and 5.7). */
import { type AlinkReply, alinkRequestObject, formatAlinkRequest, readAlinkReply, readAlinkReplyMembers } from "@thingstead/dialects";
import type { Broker } from "@thingstead/mqtt";
import type { SessionRoutes } from "../../access/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { Downlink, RrpcExchange } from "../../messages/index.ts";
import type { Registry } from "../../registry/index.ts";
import type { Scripts } from "../../scripts/index.ts";
import type { DeviceRef, ThingDownlink } from "../../things/index.ts";

export interface ThingDownlinkPorts {
  downlink: Pick<Downlink, "send" | "isOnline">;
  broker: Pick<Broker, "committed">;
  rrpc: Pick<RrpcExchange, "exchange">;
  routeOf: SessionRoutes;
  registry: Pick<Registry, "findProduct">;
  scripts: Pick<Scripts, "protocolToRawData" | "rawDataToProtocol">;
}

interface Call {
  id: string;
  /** `property/set` or a service: topic and method follow from it. */
  path: string;
  params: unknown;
}

const rawDownPath = "thing/model/down_raw";
const rawFormat = 0;

export function createThingDownlink(ports: ThingDownlinkPorts): ThingDownlink {
  const { downlink } = ports;

  const topicOf = ({ productKey, deviceName }: DeviceRef, path: string) => `/sys/${productKey}/${deviceName}/${path}`;
  const methodOf = ({ path }: Call) => `thing.service.${path.replaceAll("/", ".")}`;

  async function isRaw({ productKey }: DeviceRef): Promise<boolean> {
    return (await ports.registry.findProduct(productKey))?.dataFormat === rawFormat;
  }

  /** Topic and bytes of a call; a raw product's script writes the bytes. */
  async function write(device: DeviceRef, call: Call): Promise<{ topic: string; payload: Uint8Array; isRaw: boolean }> {
    const request = { id: call.id, method: methodOf(call), params: call.params };
    if (!(await isRaw(device))) {
      return { topic: topicOf(device, `thing/service/${call.path}`), payload: formatAlinkRequest(request), isRaw: false };
    }
    const result = await ports.scripts.protocolToRawData(device.productKey, alinkRequestObject(request));
    if (result.kind === "failed") throw scriptError(result);
    return { topic: topicOf(device, rawDownPath), payload: result.value, isRaw: true };
  }

  async function send(device: DeviceRef, call: Call): Promise<void> {
    const { productKey, deviceName } = device;
    if (!downlink.isOnline(productKey, deviceName)) throw new PlatformError("things.device_offline", { deviceName });
    const { topic, payload } = await write(device, call);
    const { delivered, queued } = downlink.send({ productKey, deviceName, topic, payload, qos: 1 });
    if (delivered + queued === 0) throw new PlatformError("bindings.not_listening", { deviceName, topic });
  }

  /** By RRPC. With `ext` bit 0 the device knows the service by its own topic, else all it gets is the request (5.6). */
  async function exchange(device: DeviceRef, call: Call, timeoutMilliseconds: number): Promise<{ payload: Uint8Array; isRaw: boolean }> {
    const { productKey, deviceName } = device;
    const { topic, payload, isRaw: isRawCall } = await write(device, call);
    const isCustom = isRawCall || ports.routeOf(productKey, deviceName)?.acceptsCustomRrpc === true;
    const requestTopicOf = (messageId: string) =>
      isCustom ? `/ext/rrpc/${messageId}${topic}` : topicOf(device, `rrpc/request/${messageId}`);
    const outcome = await ports.rrpc.exchange({ productKey, deviceName, payload, timeoutMilliseconds, topicOf: requestTopicOf });
    switch (outcome.kind) {
      case "success":
        return { payload: outcome.payload, isRaw: isRawCall };
      case "timeout":
        throw new PlatformError("things.call_timeout", { deviceName, milliseconds: timeoutMilliseconds });
      case "offline":
      case "half_connected":
        throw new PlatformError("things.device_offline", { deviceName });
    }
  }

  async function readAnswer({ productKey, deviceName }: DeviceRef, answer: { payload: Uint8Array; isRaw: boolean }): Promise<AlinkReply> {
    let reply: ReturnType<typeof readAlinkReply>;
    if (answer.isRaw) {
      const result = await ports.scripts.rawDataToProtocol(productKey, answer.payload);
      if (result.kind === "failed") throw scriptError(result);
      reply = readAlinkReplyMembers(result.value);
    } else reply = readAlinkReply(answer.payload);
    if (reply.kind === "reply") return reply;
    throw new PlatformError("bindings.answer_malformed", {
      deviceName,
      received: `${answer.payload.length} bytes`,
      expected: reply.message,
    });
  }

  return {
    setProperties: (device, { id, values }) => send(device, { id, path: "property/set", params: values }),
    callService: (device, { id, identifier, input }) => send(device, { id, path: identifier, params: input }),
    async callServiceAndWait(device, { id, identifier, input, timeoutMilliseconds }) {
      const { productKey, deviceName } = device;
      if (!downlink.isOnline(productKey, deviceName)) throw new PlatformError("things.device_offline", { deviceName });
      const answer = await exchange(device, { id, path: identifier, params: input }, timeoutMilliseconds);
      const { code, message, data } = await readAnswer(device, answer);
      return { code, ...(message === undefined ? {} : { message }), output: data };
    },
    committed: () => ports.broker.committed(),
  };
}

function scriptError({ code, message }: { code: number; message: string }): PlatformError {
  return new PlatformError("bindings.data_converted_badly", { received: code, expected: message });
}
