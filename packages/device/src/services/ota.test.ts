import { createHash } from "node:crypto";
import { formatFileBlock, formatOtaPush, type OtaPush, readFileBlockRequest } from "@thingstead/dialects";
import { expect, test } from "vitest";
import { Requests } from "../requests.ts";
import { createFakeLink, jsonOf, settle } from "../testing/fake-link.ts";
import { OtaClient, type UpgradePlan } from "./ota.ts";

const image = Buffer.alloc(1_000, 5);
const offer: OtaPush = {
  module: "default",
  version: "2.0",
  isDifferential: false,
  signMethod: "MD5",
  stream: { streamId: 7, streamFileId: 1 },
  files: [{ name: "", bytes: image.length, md5: createHash("md5").update(image).digest("hex"), sha256: "" }],
};
const topic = "/ota/device/upgrade/pk/dn";

/** A cloud that has the file and serves it over MQTT. */
async function follow(plan: Partial<UpgradePlan> = {}, content: Buffer = image) {
  const cloud = createFakeLink({ limits: { downloadBlockBytes: 100, progressStepPercent: 50 } });
  const told: [string, unknown][] = [];
  cloud.answer((message) => {
    if (message.topic.startsWith("/ota/device/")) told.push([message.topic.split("/")[3] ?? "", jsonOf(message).params]);
    if (message.topic !== "/sys/pk/dn/thing/file/download") return;
    const request = readFileBlockRequest(message.payload);
    if (request.kind === "refused") return;
    const { id, offset, bytes } = request;
    const block = { id, fileBytes: content.length, offset, bytes: content.subarray(offset, offset + bytes) };
    cloud.deliver(`${message.topic}_reply`, formatFileBlock(block));
  });
  const steps: string[] = [];
  const stop = await new OtaClient(cloud.link, new Requests(cloud.link)).follow({
    version: "1.0",
    write: () => {},
    apply: () => {},
    onStep: (step) => steps.push(step.kind === "failed" ? `failed ${step.failure}` : step.kind),
    ...plan,
  });
  const push = async (one: OtaPush = offer) => {
    cloud.deliver(topic, formatOtaPush(1, one));
    for (let turn = 0; turn < 60; turn += 1) await settle();
  };
  return { ...cloud, told, steps, stop, push };
}

test("7.1 the version, the progress, the new version; pushed again, it is only told again", async () => {
  const { told, push, steps, stop, filters } = await follow();
  await push();
  expect(told).toEqual([
    ["inform", { version: "1.0" }],
    ["progress", { step: "50", desc: "" }],
    ["progress", { step: "100", desc: "" }],
    ["inform", { version: "2.0" }],
  ]);
  expect(steps.filter((step) => step !== "progress")).toEqual(["offered", "verified", "applied"]);
  await push();
  expect(told.slice(4)).toEqual([["inform", { version: "2.0" }]]);
  await stop();
  expect(filters.size).toBe(0);
});

test("a package that is pushed again while it is on its way is not begun twice, and other modules' are left alone", async () => {
  const { push, steps, deliver } = await follow();
  deliver(topic, formatOtaPush(1, { ...offer, module: "MCU" }));
  deliver(topic, formatOtaPush(2, offer));
  await push();
  expect(steps.filter((step) => step !== "progress")).toEqual(["offered", "verified", "applied"]);
});

test.each<[string, string, Partial<UpgradePlan>, Buffer]>([
  ["failed verify", "-3", {}, Buffer.alloc(1_000, 6)],
  [
    "failed burn",
    "-4",
    {
      write() {
        throw new Error("flash");
      },
    },
    image,
  ],
  ["failed burn", "-4", { apply: () => Promise.reject(new Error("boot")) }, image],
  ["failed download", "-2", { signal: AbortSignal.abort(new Error("enough")) }, image],
])("7.3 %s is told as step %s, and the version stays", async (step, code, plan, content) => {
  const { push, steps, told } = await follow(plan, content);
  await push();
  expect(steps.at(-1)).toBe(step);
  expect(told.at(-1)).toEqual(["progress", { step: code, desc: expect.any(String) }]);
  expect(told.filter(([kind]) => kind === "inform")).toHaveLength(1);
});

test("a push that cannot be read is told", async () => {
  const { deliver, troubles } = await follow();
  deliver(topic, "{}");
  expect(troubles).toMatchObject([{ code: "device.message_malformed" }]);
});
