/** The room's service: keeps the scripts, runs them, and says what went wrong in the vendor's codes. */
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { ScriptLimits } from "./limits.ts";
import type { ScriptStore } from "./ports.ts";
import { ScriptThread, type ThreadOutcome, type ThreadWorker } from "./script-thread.ts";
import type { ProductScript, ScriptFailure, ScriptFailureCode, ScriptResult, Scripts, ScriptTest } from "./scripts.ts";
import type { ThreadLimits } from "./worker-messages.ts";

export interface ScriptsPorts {
  store: ScriptStore;
  /** Throws for a product that is unknown. */
  checkProduct(productKey: string): Promise<void>;
  clock: Pick<Clock, "now" | "after">;
  limits: ScriptLimits;
  startWorker?: (limits: ThreadLimits) => ThreadWorker;
}

/** A product's script as it is remembered; `version` is new with every save. */
interface Remembered {
  script: ProductScript | undefined;
  version: number;
  overruns: number;
  suspendedUntil: number;
}

const testKey = " test";

export function createScripts(ports: ScriptsPorts): Scripts & { forget(productKey: string): void } {
  const { store, clock, limits } = ports;
  const thread = new ScriptThread(ports);
  const remembered = new Map<string, Remembered>();
  let version = 0;
  const nextVersion = (): number => {
    version += 1;
    return version;
  };

  function remember(productKey: string, script: ProductScript | undefined): Remembered {
    const entry: Remembered = { script, version: nextVersion(), overruns: 0, suspendedUntil: 0 };
    remembered.delete(productKey);
    remembered.set(productKey, entry);
    if (remembered.size > limits.rememberedScriptsMax) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    return entry;
  }

  async function recall(productKey: string): Promise<Remembered> {
    const known = remembered.get(productKey);
    if (known !== undefined) return known;
    const began = version;
    const script = await store.load(productKey);
    // Saved or loaded by somebody else meanwhile: theirs is newer.
    const newer = remembered.get(productKey);
    if (newer !== undefined) return newer;
    return began === version ? remember(productKey, script) : { script, version: 0, overruns: 0, suspendedUntil: 0 };
  }

  async function run(productKey: string, name: ScriptTest["function"], argumentsText: string): Promise<ScriptResult<string>> {
    const entry = await recall(productKey);
    if (entry.script === undefined) return fail(26001, "the product has no script");
    if (clock.now() < entry.suspendedUntil) return fail(26010, "the script was suspended because it takes too long");
    const { code } = entry.script;
    const outcome = await thread.perform({ key: productKey, version: entry.version, code, run: { function: name, argumentsText } });
    countOverrun(productKey, entry, outcome);
    return resultOf(outcome, name);
  }

  function countOverrun(productKey: string, entry: Remembered, outcome: ThreadOutcome): void {
    if (outcome.kind === "busy" || outcome.kind === "closed") return;
    const isOverrun = outcome.kind === "threw" && outcome.isOverrun;
    entry.overruns = isOverrun ? entry.overruns + 1 : 0;
    if (entry.overruns >= limits.overrunsBeforeSuspension) {
      entry.overruns = 0;
      entry.suspendedUntil = clock.now() + limits.suspensionSeconds * 1000;
      thread.dropWaiting(productKey);
    }
  }

  function checkInput(bytes: number): ScriptFailure | undefined {
    return bytes > limits.inputBytesMax ? fail(26002, `the message has ${bytes} bytes, at most ${limits.inputBytesMax}`) : undefined;
  }

  function checkCode(code: string): void {
    const received = Buffer.byteLength(code);
    if (received > limits.codeBytesMax) throw new PlatformError("scripts.too_large", { received, expected: limits.codeBytesMax });
  }

  return {
    async find(productKey) {
      await ports.checkProduct(productKey);
      return (await recall(productKey)).script;
    },
    async save(productKey, code) {
      await ports.checkProduct(productKey);
      checkCode(code);
      const outcome = await thread.perform({ key: testKey, version: nextVersion(), code, isOnce: true });
      if (outcome.kind === "threw") throw new PlatformError("scripts.code_invalid", { received: outcome.message });
      if (outcome.kind !== "done") throw new PlatformError("scripts.busy");
      const script: ProductScript = { code, modifiedAt: clock.now() };
      await store.save(productKey, script);
      remember(productKey, script);
      return script;
    },
    async delete(productKey) {
      await ports.checkProduct(productKey);
      await store.delete(productKey);
      remember(productKey, undefined);
    },
    rawDataToProtocol(productKey, payload) {
      const tooLarge = checkInput(payload.length);
      if (tooLarge !== undefined) return Promise.resolve(tooLarge);
      return run(productKey, "rawDataToProtocol", argumentsOf({ function: "rawDataToProtocol", payload })).then(objectOf);
    },
    protocolToRawData: (productKey, message) =>
      run(productKey, "protocolToRawData", argumentsOf({ function: "protocolToRawData", message })).then(bytesOf),
    transformPayload(productKey, topic, payload) {
      const tooLarge = checkInput(payload.length);
      if (tooLarge !== undefined) return Promise.resolve(tooLarge);
      return run(productKey, "transformPayload", argumentsOf({ function: "transformPayload", topic, payload })).then(objectOf);
    },
    async test(code, wanted) {
      checkCode(code);
      const began = clock.now();
      const job = { key: testKey, version: nextVersion(), code, isOnce: true };
      const outcome = await thread.perform({ ...job, run: { function: wanted.function, argumentsText: argumentsOf(wanted) } });
      const milliseconds = clock.now() - began;
      const text = resultOf(outcome, wanted.function);
      const result = wanted.function === "protocolToRawData" ? bytesOf(text) : objectOf(text);
      return { ...result, milliseconds };
    },
    forget(productKey) {
      remembered.delete(productKey);
    },
    close: () => thread.close(),
  };
}

/** Bytes as numbers from 0 to 255: scripts made for signed ones mask them. */
function argumentsOf(wanted: ScriptTest): string {
  switch (wanted.function) {
    case "rawDataToProtocol":
      return `[[${wanted.payload.join(",")}]]`;
    case "transformPayload":
      return `[${JSON.stringify(wanted.topic)},[${wanted.payload.join(",")}]]`;
    case "protocolToRawData":
      return JSON.stringify([wanted.message]);
  }
}

function fail(code: ScriptFailureCode, message: string): ScriptFailure {
  return { kind: "failed", code, message };
}

function resultOf(outcome: ThreadOutcome, name: string): ScriptResult<string> {
  switch (outcome.kind) {
    case "done":
      return outcome.text === undefined ? fail(26007, `${name} returned nothing`) : { kind: "done", value: outcome.text };
    case "function_missing":
      return fail(26006, `the script has no function ${name}`);
    case "output_too_large":
      return fail(26007, `${name} returned a text of ${outcome.characters} characters`);
    case "threw":
      return fail(26002, outcome.message);
    case "busy":
      return fail(26010, "too many messages wait for the script");
    case "closed":
      return fail(26002, "the server is shutting down");
  }
}

function objectOf(result: ScriptResult<string>): ScriptResult<Record<string, unknown>> {
  if (result.kind === "failed") return result;
  const value: unknown = JSON.parse(result.value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(26007, "the script must return an object");
  return { kind: "done", value: { ...value } };
}

function bytesOf(result: ScriptResult<string>): ScriptResult<Uint8Array> {
  if (result.kind === "failed") return result;
  const value: unknown = JSON.parse(result.value);
  // Signed or unsigned, as the script likes.
  const isByte = (each: unknown): each is number => typeof each === "number" && Number.isInteger(each) && each >= -128 && each <= 255;
  if (!Array.isArray(value) || !value.every(isByte)) return fail(26007, "the script must return an array of bytes");
  return { kind: "done", value: Uint8Array.from(value) };
}
