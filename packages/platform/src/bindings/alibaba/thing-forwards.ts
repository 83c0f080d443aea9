/** Tells rules and subscriptions what devices report, in the cloud's own topics and bodies (alibaba-device.md, 9). */
import {
  alibabaForwardTopics,
  type ForwardedReport,
  type ForwardedValue,
  formatBatchReport,
  formatDownlinkReply,
  formatEventReport,
  formatPropertyReport,
} from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import type { DeviceEventKind, DeviceEvents } from "../../messages/index.ts";
import type { EventReport, PropertyReport, RecordsReport } from "../../things/index.ts";
import type { EventNames } from "./event-names.ts";
import type { ThingCall } from "./thing-call.ts";
import type { UplinkDevice } from "./uplink.ts";

/** An unchecked identifier may be any text; one that is no level of a topic would speak for another topic. */
const topicLevel = /^[^/+#\0]{1,128}$/;

/** Products here have no category: the vendor's word for that. */
const deviceType = "CustomCategory";

export interface ThingForwardsPorts {
  events: Pick<DeviceEvents, "tell">;
  eventNames: EventNames;
  clock: Pick<Clock, "now">;
}

type Told = undefined | Promise<void>;

export interface ThingForwards {
  properties(call: ThingCall, report: PropertyReport): Told;
  event(call: ThingCall, identifier: string, report: EventReport): Told;
  batch(call: ThingCall, report: RecordsReport): Told;
  /** One device's part of a pack: as if it had reported on its own. */
  part(call: ThingCall, device: UplinkDevice, report: RecordsReport): Told;
  history(call: ThingCall, device: UplinkDevice, report: RecordsReport): Told;
  /** The device's answer to a call; `topic` is that of the request. */
  answered(
    source: Pick<ThingCall, "device" | "qos" | "receivedAt"> & { topic: string },
    answer: { id: string; code: number; message: string; data: unknown; checkFailedData: object },
  ): Told;
}

export function createThingForwards({ events, eventNames, clock }: ThingForwardsPorts): ThingForwards {
  function reportOf({ request }: ThingCall, { productKey, deviceName, iotId }: UplinkDevice): ForwardedReport {
    return { device: { productKey, deviceName, iotId }, requestId: String(request.id), deviceType, gmtCreate: clock.now() };
  }

  function tell(
    kind: DeviceEventKind,
    call: Pick<ThingCall, "qos" | "receivedAt">,
    device: UplinkDevice,
    topic: string,
    body: () => object,
  ): Told {
    const { productKey, deviceName } = device;
    return events.tell({ kind, productKey, deviceName, topic, qos: call.qos === 0 ? 0 : 1, time: call.receivedAt, body });
  }

  async function tellEvent(
    kind: "data" | "history",
    call: ThingCall,
    device: UplinkDevice,
    topic: string,
    event: EventReport & { identifier: string },
  ): Promise<void> {
    const { identifier, value, time, checkFailedData } = event;
    if (!topicLevel.test(identifier)) return;
    const { name, type } = await eventNames.of(device.productKey, identifier);
    await tell(kind, call, device, topic, () =>
      formatEventReport(reportOf(call, device), { identifier, name, type, value, time, checkFailedData }),
    );
  }

  function tellProperties(
    kind: "data" | "history",
    call: ThingCall,
    device: UplinkDevice,
    topic: string,
    report: Pick<PropertyReport, "items" | "checkFailedData">,
  ): Told {
    return tell(kind, call, device, topic, () => formatPropertyReport(reportOf(call, device), report.items, report.checkFailedData));
  }

  /** Values of one property come one after the other: as many messages as the property with the most values has. */
  function tellRecords(kind: "data" | "history", call: ThingCall, device: UplinkDevice, report: RecordsReport): Told[] {
    const topics = alibabaForwardTopics;
    const propertyTopic = kind === "history" ? topics.propertyHistory(device) : topics.properties(device);
    const told: Told[] = rowsOf(report).map((row) => tellProperties(kind, call, device, propertyTopic, row));
    for (const event of report.events) {
      const { identifier } = event;
      const topic = kind === "history" ? topics.eventHistory(device, identifier) : topics.event(device, identifier);
      told.push(tellEvent(kind, call, device, topic, { ...event, problems: [] }));
    }
    return told;
  }

  return {
    properties(call, report) {
      const { device } = call;
      return tellProperties("data", call, device, alibabaForwardTopics.properties(device), report);
    },
    event(call, identifier, report) {
      const { device } = call;
      return tellEvent("data", call, device, alibabaForwardTopics.event(device, identifier), { ...report, identifier });
    },
    batch(call, report) {
      const { device } = call;
      const told: Told[] = [];
      const properties = groupByIdentifier(report.properties);
      const reported = groupByIdentifier(report.events);
      if (properties !== undefined) {
        const topic = alibabaForwardTopics.propertyBatch(device);
        told.push(tell("data", call, device, topic, () => formatBatchReport(reportOf(call, device), properties)));
      }
      if (reported !== undefined) {
        const topic = alibabaForwardTopics.eventBatch(device);
        told.push(tell("data", call, device, topic, () => formatBatchReport(reportOf(call, device), reported)));
      }
      return together(told);
    },
    part: (call, device, report) => together(tellRecords("data", call, device, report)),
    history: (call, device, report) => together(tellRecords("history", call, device, report)),
    answered(source, { id, ...answer }) {
      const { device, topic } = source;
      const { productKey, deviceName, iotId } = device;
      return tell("data", source, device, alibabaForwardTopics.downlinkReply(device), () =>
        formatDownlinkReply({ device: { productKey, deviceName, iotId }, gmtCreate: clock.now(), requestId: id, topic, ...answer }),
      );
    },
  };
}

type Row = { items: Record<string, ForwardedValue>; checkFailedData: Record<string, ForwardedValue & { code: number; message: string }> };

/** Takes a list of values apart into messages that hold each property once. */
function rowsOf(report: RecordsReport): Row[] {
  const rows: Row[] = [];
  const counts = new Map<string, number>();
  const rowFor = (identifier: string): Row => {
    const index = counts.get(identifier) ?? 0;
    counts.set(identifier, index + 1);
    const row = rows[index] ?? { items: Object.create(null), checkFailedData: Object.create(null) };
    rows[index] = row;
    return row;
  };
  for (const { identifier, value, time } of report.properties) rowFor(identifier).items[identifier] = { value, time };
  for (const { kind, identifier, value, time, code, message } of report.failed) {
    if (kind === "property") rowFor(identifier).checkFailedData[identifier] = { value, time, code, message };
  }
  return rows;
}

function groupByIdentifier(
  records: readonly { identifier: string; value: unknown; time: number }[],
): Record<string, ForwardedValue[]> | undefined {
  if (records.length === 0) return undefined;
  // Without a prototype: an identifier of a device may be any text.
  const groups: Record<string, ForwardedValue[]> = Object.create(null);
  for (const { identifier, value, time } of records) {
    const group = groups[identifier] ?? [];
    group.push({ value, time });
    groups[identifier] = group;
  }
  return groups;
}

export function together(told: readonly Told[]): Told {
  const waits = told.filter((each) => each !== undefined);
  return waits.length < 2 ? waits[0] : Promise.all(waits).then(() => undefined);
}
