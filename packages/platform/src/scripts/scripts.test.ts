import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { createFakeClock } from "../fake-clock.ts";
import { createScripts } from "./create-scripts.ts";
import { defaultScriptLimits, type ScriptLimits } from "./limits.ts";
import { openSandbox } from "./sandbox.ts";
import type { ThreadWorker } from "./script-thread.ts";
import type { ProductScript } from "./scripts.ts";
import type { ScriptJob } from "./worker-messages.ts";

/** A worker without a thread: the same sandbox, answering a turn later. */
class LocalWorker extends EventEmitter implements ThreadWorker {
  isEnded = false;
  hangs = false;
  jobs: ScriptJob[] = [];
  readonly #sandbox: ReturnType<typeof openSandbox>;

  constructor(limits: ScriptLimits) {
    super();
    this.#sandbox = openSandbox(limits, () => performance.now());
  }

  postMessage(job: ScriptJob): void {
    this.jobs.push(job);
    if (this.hangs) return;
    void this.#sandbox.then((sandbox) => {
      if (!this.isEnded) this.emit("message", sandbox.perform(job));
    });
  }

  terminate(): Promise<number> {
    this.isEnded = true;
    return Promise.resolve(0);
  }

  unref(): void {}
}

function openBench(more: Partial<ScriptLimits> = {}) {
  const limits: ScriptLimits = { ...defaultScriptLimits, runMillisecondsMax: 50, ...more };
  const saved = new Map<string, ProductScript>();
  const workers: LocalWorker[] = [];
  const clock = createFakeClock(1_000);
  const scripts = createScripts({
    store: {
      load: async (key) => saved.get(key),
      save: async (key, script) => void saved.set(key, script),
      delete: async (key) => void saved.delete(key),
    },
    checkProduct: async () => {},
    clock,
    limits,
    startWorker: () => {
      const worker = new LocalWorker(limits);
      workers.push(worker);
      return worker;
    },
  });
  return { scripts, saved, workers, clock };
}

const code = `
  function rawDataToProtocol(bytes) { return { method: "thing.event.property.post", id: "1", params: { level: bytes[0] } }; }
  function protocolToRawData(json) { return [json.params.level, -1]; }
  function transformPayload(topic, bytes) { return { topic: topic, size: bytes.length }; }
`;

test("[alibaba-device 5.7] the three functions", async () => {
  const { scripts } = openBench();
  await scripts.save("pk", code);
  expect(await scripts.rawDataToProtocol("pk", Uint8Array.of(200))).toEqual({
    kind: "done",
    value: { method: "thing.event.property.post", id: "1", params: { level: 200 } },
  });
  expect(await scripts.protocolToRawData("pk", { params: { level: 3 } })).toEqual({ kind: "done", value: Uint8Array.of(3, 255) });
  expect(await scripts.transformPayload("pk", "/pk/d/user/update", new Uint8Array(5))).toEqual({
    kind: "done",
    value: { topic: "/pk/d/user/update", size: 5 },
  });
  await scripts.delete("pk");
  expect(await scripts.find("pk")).toBeUndefined();
  await scripts.close();
});

test.each([
  [26001, undefined],
  [26002, "function rawDataToProtocol() { throw new Error('x'); }"],
  [26002, "function rawDataToProtocol() { for (;;); }"],
  [26006, "function other() {}"],
  [26007, "function rawDataToProtocol() {}"],
  [26007, "function rawDataToProtocol() { return 7; }"],
  [26007, "function rawDataToProtocol() { return [1]; }"],
])("[alibaba-device 5.11] %i for %s", async (failure, script) => {
  const { scripts } = openBench();
  if (script !== undefined) await scripts.save("pk", script);
  expect(await scripts.rawDataToProtocol("pk", new Uint8Array(1))).toMatchObject({ kind: "failed", code: failure });
});

test("bytes are whole numbers from -128 to 255", async () => {
  const { scripts } = openBench();
  for (const returned of ["[256]", "[-129]", "[1.5]", '["1"]', "({})", "'ab'"]) {
    await scripts.save("pk", `function protocolToRawData() { return ${returned}; }`);
    expect(await scripts.protocolToRawData("pk", {}), returned).toMatchObject({ code: 26007 });
  }
});

test("code that cannot be loaded is refused with its line, code that is too long at once", async () => {
  const { scripts, saved } = openBench({ codeBytesMax: 100 });
  await expect(scripts.save("pk", "function f() {\n  var = 1;\n}")).rejects.toMatchObject({
    code: "scripts.code_invalid",
    details: { received: expect.stringContaining("line 2") },
  });
  await expect(scripts.save("pk", "for (;;);")).rejects.toMatchObject({ code: "scripts.code_invalid" });
  await expect(scripts.save("pk", " ".repeat(101))).rejects.toMatchObject({ code: "scripts.too_large" });
  expect(saved.size).toBe(0);
});

test("a script that keeps taking too long is suspended, and others are not", async () => {
  const { scripts, clock } = openBench({ overrunsBeforeSuspension: 2 });
  await scripts.save("slow", "function rawDataToProtocol(b) { while (b[0] === 1); return {}; }");
  await scripts.save("pk", code);
  const send = (key: string, first: number) => scripts.rawDataToProtocol(key, Uint8Array.of(first));
  for (let run = 0; run < 2; run += 1) expect(await send("slow", 1)).toMatchObject({ code: 26002 });
  expect(await send("slow", 0)).toMatchObject({ code: 26010 });
  expect(await send("pk", 1)).toMatchObject({ kind: "done" });
  await clock.pass(defaultScriptLimits.suspensionSeconds * 1000);
  const waiting = await Promise.all([1, 1, 1, 1].map((first) => send("slow", first)));
  expect(waiting.map((result) => result.kind === "failed" && result.code)).toEqual([26002, 26002, 26010, 26010]);
  await clock.pass(defaultScriptLimits.suspensionSeconds * 1000);
  expect(await send("slow", 0)).toMatchObject({ kind: "done" });
});

test("a thread that does not come back is ended; its job fails and the next one runs in a new thread", async () => {
  const { scripts, workers, clock } = openBench();
  await scripts.save("pk", code);
  const [first] = workers;
  if (first === undefined) throw new Error("no worker");
  first.hangs = true;
  const hanging = scripts.rawDataToProtocol("pk", Uint8Array.of(1));
  const waiting = scripts.rawDataToProtocol("pk", Uint8Array.of(2));
  await new Promise((resolve) => setImmediate(resolve));
  await clock.pass(50 + defaultScriptLimits.killGraceMilliseconds);
  expect(await hanging).toMatchObject({ code: 26002 });
  expect(await waiting).toMatchObject({ kind: "done" });
  expect(first.isEnded).toBe(true);
  expect(workers).toHaveLength(2);
});

test("too many waiting messages are refused at once, and each product has its turn", async () => {
  const { scripts, workers } = openBench({ pendingRunsPerProductMax: 3 });
  await scripts.save("a", code);
  await scripts.save("b", code);
  await scripts.rawDataToProtocol("a", Uint8Array.of(0));
  const outcomes: string[] = [];
  const send = (key: string) =>
    scripts
      .rawDataToProtocol(key, Uint8Array.of(0))
      .then((result) => outcomes.push(`${key} ${result.kind === "failed" ? result.code : "done"}`));
  await Promise.all([...Array.from({ length: 6 }, () => send("a")), send("b")]);
  expect(outcomes.filter((each) => each === "a 26010").length).toBeGreaterThan(0);
  // Not behind all of a's.
  expect(outcomes.indexOf("b done")).toBeLessThan(outcomes.lastIndexOf("a done"));
  expect(workers).toHaveLength(1);
});

test("the code goes to the thread once", async () => {
  const { scripts, workers } = openBench();
  await scripts.save("pk", code);
  for (let run = 0; run < 3; run += 1) await scripts.rawDataToProtocol("pk", Uint8Array.of(1));
  expect(workers[0]?.jobs.filter((job) => job.key === "pk" && job.code !== undefined)).toHaveLength(1);
});

test("a thread without work is ended and started again when needed", async () => {
  const { scripts, workers, clock } = openBench();
  await scripts.save("pk", code);
  await clock.pass(defaultScriptLimits.idleSeconds * 1000);
  expect(workers[0]?.isEnded).toBe(true);
  expect(await scripts.rawDataToProtocol("pk", Uint8Array.of(1))).toMatchObject({ kind: "done" });
  expect(workers).toHaveLength(2);
});

test("a script is tried without being saved", async () => {
  const { scripts, saved } = openBench();
  expect(await scripts.test(code, { function: "transformPayload", topic: "t", payload: Uint8Array.of(1) })).toMatchObject({
    kind: "done",
    value: { topic: "t", size: 1 },
  });
  expect(await scripts.test("x", { function: "rawDataToProtocol", payload: new Uint8Array(1) })).toMatchObject({ code: 26002 });
  expect(saved.size).toBe(0);
});

test("closed: what waits is answered", async () => {
  const { scripts, workers } = openBench();
  await scripts.save("pk", code);
  if (workers[0] !== undefined) workers[0].hangs = true;
  const waiting = scripts.rawDataToProtocol("pk", Uint8Array.of(1));
  await new Promise((resolve) => setImmediate(resolve));
  await scripts.close();
  expect(await waiting).toMatchObject({ code: 26002 });
});

test("with the real thread", async () => {
  const scripts = createScripts({
    store: { load: async () => ({ code, modifiedAt: 0 }), save: async () => {}, delete: async () => {} },
    checkProduct: async () => {},
    clock: { now: () => Date.now(), after: () => () => {} },
    limits: defaultScriptLimits,
  });
  expect(await scripts.rawDataToProtocol("pk", Uint8Array.of(7))).toMatchObject({ kind: "done", value: { params: { level: 7 } } });
  await scripts.close();
});
