/**
 * What the cloud tells programs about devices: topics and bodies as rules and server-side subscriptions see them.
 * Source: alibaba-device.md, 9; alibaba-server.md, 2.5 and 2.6. Member order is the vendor's.
 */

export interface ForwardDevice {
  readonly iotId: string;
  readonly productKey: string;
  readonly deviceName: string;
}

type Names = Pick<ForwardDevice, "productKey" | "deviceName">;

export interface ForwardedValue {
  readonly value: unknown;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** What did not fit the thing model. */
export interface ForwardedFailure {
  readonly value: unknown;
  readonly code: number;
  readonly message: string;
}

/** Facts of a message that a device sent. */
export interface ForwardedReport {
  readonly device: ForwardDevice;
  /** The Alink id as text. */
  readonly requestId: string;
  /** Category of the product. */
  readonly deviceType: string;
  /** When it was forwarded, milliseconds since the epoch. */
  readonly gmtCreate: number;
}

const own = ({ productKey, deviceName }: Names): string => `/${productKey}/${deviceName}`;

export const alibabaForwardTopics = {
  status: ({ productKey, deviceName }: Names) => `/as/mqtt/status/${productKey}/${deviceName}`,
  properties: (device: Names) => `${own(device)}/thing/event/property/post`,
  /** A module's event is `<module>:<event>`. */
  event: (device: Names, event: string) => `${own(device)}/thing/event/${event}/post`,
  propertyBatch: (device: Names) => `${own(device)}/thing/property/batch/post`,
  eventBatch: (device: Names) => `${own(device)}/thing/event/batch/post`,
  propertyHistory: (device: Names) => `${own(device)}/thing/event/property/history/post`,
  eventHistory: (device: Names, event: string) => `${own(device)}/thing/event/${event}/history/post`,
  downlinkReply: (device: Names) => `${own(device)}/thing/downlink/reply/message`,
  lifecycle: (device: Names) => `${own(device)}/thing/lifecycle`,
  topology: (gateway: Names) => `${own(gateway)}/thing/topo/lifecycle`,
  found: (gateway: Names) => `${own(gateway)}/thing/list/found`,
  tags: (device: Names) => `${own(device)}/thing/deviceinfo/update`,
  otaVersion: (device: Names) => `${own(device)}/ota/version/post`,
  otaTask: (device: Names) => `${own(device)}/ota/upgrade`,
  otaProgress: (device: Names) => `${own(device)}/ota/progress/post`,
  otaJob: (productKey: string, packageId: string, jobId: string) => `/${productKey}/${packageId}/${jobId}/ota/job/status`,
} as const;

const chinaOffsetMilliseconds = 8 * 3600 * 1000;

/** `2018-08-31 15:32:28.205`: China's local time, whatever the server's. */
function formatChinaTime(milliseconds: number): string {
  return new Date(milliseconds + chinaOffsetMilliseconds).toISOString().replace("T", " ").slice(0, -1);
}

export function formatDeviceStatus(event: {
  device: ForwardDevice;
  status: "online" | "offline";
  time: number;
  /** Last traffic before the change: consumers order by it. */
  lastTime: number;
  clientIp: string;
}): object {
  const { status, time, lastTime, clientIp } = event;
  const { iotId, productKey, deviceName } = event.device;
  return {
    status,
    iotId,
    productKey,
    deviceName,
    time: formatChinaTime(time),
    utcTime: new Date(time).toISOString(),
    lastTime: formatChinaTime(lastTime),
    utcLastTime: new Date(lastTime).toISOString(),
    clientIp,
  };
}

function reportMembers({ device, requestId, deviceType, gmtCreate }: ForwardedReport): object {
  const { iotId, productKey, deviceName } = device;
  return { iotId, requestId, productKey, deviceName, gmtCreate, deviceType };
}

/** Also the body of a property history, one value for each property. */
export function formatPropertyReport(
  report: ForwardedReport,
  items: Readonly<Record<string, ForwardedValue>>,
  checkFailedData: Readonly<Record<string, ForwardedFailure & ForwardedValue>>,
): object {
  return { ...reportMembers(report), items, checkFailedData };
}

/** Also the body of an event's history. */
export function formatEventReport(
  report: ForwardedReport,
  event: {
    identifier: string;
    name: string;
    /** `info`, `alert` or `error`. */
    type: string;
    value: unknown;
    time: number;
    checkFailedData: Partial<ForwardedFailure>;
  },
): object {
  const { identifier, name, type, value, time, checkFailedData } = event;
  return { identifier, name, type, ...reportMembers(report), value, time, checkFailedData };
}

/** `payload`: values in the order they came, by identifier. */
export function formatBatchReport(report: ForwardedReport, payload: Readonly<Record<string, readonly ForwardedValue[]>>): object {
  return { ...reportMembers(report), payload };
}

/** The device's answer to an asynchronous call. `requestId` is the number that the caller was given as message id. */
export function formatDownlinkReply(answer: {
  device: ForwardDevice;
  gmtCreate: number;
  requestId: string;
  code: number;
  message: string;
  /** Device topic of the request, without `_reply`. */
  topic: string;
  data: unknown;
  checkFailedData: object;
}): object {
  const { device, gmtCreate, requestId, code, message, topic, data, checkFailedData } = answer;
  const { iotId, productKey, deviceName } = device;
  const number = Number(requestId);
  return {
    gmtCreate,
    iotId,
    productKey,
    deviceName,
    // An id that a number cannot hold exactly stays text: a wrong number would find no call.
    requestId: requestId !== "" && Number.isSafeInteger(number) ? number : requestId,
    code,
    message,
    topic,
    data,
    checkFailedData,
  };
}

export function formatLifecycle(event: {
  action: "create" | "delete" | "enable" | "disable";
  device: ForwardDevice;
  /** Only at creation. */
  deviceSecret?: string;
  messageCreateTime: number;
}): object {
  const { action, device, deviceSecret, messageCreateTime } = event;
  const { iotId, productKey, deviceName } = device;
  return { action, iotId, productKey, deviceName, ...(deviceSecret === undefined ? {} : { deviceSecret }), messageCreateTime };
}

const gatewayMembers = ({ iotId, productKey, deviceName }: ForwardDevice): object => ({
  gwIotId: iotId,
  gwProductKey: productKey,
  gwDeviceName: deviceName,
});

/** A found device may be unknown here: then it has no iotId. */
type FoundDevice = Names & { readonly iotId?: string };

const listed = (devices: readonly FoundDevice[]): object[] =>
  devices.map(({ iotId, productKey, deviceName }) => ({ ...(iotId === undefined ? {} : { iotId }), productKey, deviceName }));

export function formatTopology(event: {
  action: "create" | "delete" | "enable" | "disable";
  gateway: ForwardDevice;
  devices: readonly ForwardDevice[];
  messageCreateTime: number;
}): object {
  const { action, gateway, devices, messageCreateTime } = event;
  return { action, ...gatewayMembers(gateway), devices: listed(devices), messageCreateTime };
}

export function formatFound(gateway: ForwardDevice, devices: readonly FoundDevice[]): object {
  return { ...gatewayMembers(gateway), devices: listed(devices) };
}

export function formatTags(
  device: ForwardDevice,
  tags: readonly { readonly attrKey: string; readonly attrValue: string }[],
  messageCreateTime: number,
): object {
  const { iotId, productKey, deviceName } = device;
  return { iotId, productKey, deviceName, value: tags.map(({ attrKey, attrValue }) => ({ attrKey, attrValue })), messageCreateTime };
}
