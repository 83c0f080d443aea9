import { encodeProvisioningAnswer } from "@thingstead/dialects";
import { beforeEach, expect, test } from "vitest";
import type { NewLogEntry } from "../../device-log/index.ts";
import { createMetricsHandlers } from "./metrics.ts";

let told: { topic: string; text: unknown }[];
let entries: NewLogEntry[];
const handlers = createMetricsHandlers({
  answers: { publish: (topic, payload) => void told.push({ topic, text: JSON.parse(Buffer.from(payload).toString()) }) },
  deviceLog: { write: (entry) => void entries.push(entry), wants: () => true },
  productKey: "aws",
  clock: { now: () => 1_700_000_000_123 },
});
beforeEach(() => {
  [told, entries] = [[], []];
});

const topic = "$aws/things/lamp/defender/metrics/json";
const publish = (payload: Uint8Array, format = "json") =>
  handlers["defender/metrics"]?.({ topic, parts: { thingName: "lamp", format }, payload, qos: 1, receivedAt: 0 });

test.each(['{"header":{"report_id":7,"version":"1.0"},"metrics":{}}', '{"hed":{"rid":7,"v":"1.0"},"met":{}}'])(
  "[AW 9] metrics are answered, and the log says that nobody judges them: %s",
  (text) => {
    publish(Buffer.from(text));
    const answer = { thingName: "lamp", reportId: 7, status: "ACCEPTED", timestamp: 1_700_000_000_123 };
    expect(told).toEqual([{ topic: `${topic}/accepted`, text: answer }]);
    expect(entries).toMatchObject([{ code: "aws.metrics_not_judged", deviceName: "lamp", isSuccess: false }]);
  },
);

test.each([["{}"], ["[]"], ["no JSON"], ['{"header":{"report_id":"7"}}']])("[AW 9] %s is no report", (text) => {
  publish(Buffer.from(text));
  expect(told).toMatchObject([
    { topic: `${topic}/rejected`, text: { status: "REJECTED", statusDetails: { ErrorCode: "InvalidPayload" } } },
  ]);
  expect(entries).toMatchObject([{ code: "aws.metrics_malformed" }]);
});

test("[AW 9] another format is refused in JSON", () => {
  publish(encodeProvisioningAnswer("cbor", { header: { report_id: 7 } }), "xml");
  expect(told).toMatchObject([{ topic: `${topic}/rejected` }]);
});
