/** Scripts in QuickJS (WebAssembly): no timers, no network, no files, only what the language has. Runs in the worker thread. */
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";
import type { JobOutcome, ScriptJob, ThreadLimits } from "./worker-messages.ts";

/**
 * Evaluated before the user's code, which so cannot change what it uses. Bytes come back as an array or a typed array.
 */
const callerCode = `(function () {
  "use strict";
  const { parse, stringify } = JSON;
  const { from } = Array;
  const { isView } = ArrayBuffer;
  const { apply } = Reflect;
  return function (call, text) {
    const result = apply(call, undefined, parse(text));
    return stringify(isView(result) ? from(result) : result);
  };
})()`;

/** Of an error's text that a script may have made itself. */
const messageCharactersMax = 512;

interface LoadedScript {
  version: number;
  runtime: QuickJSRuntime;
  context: QuickJSContext;
  caller: QuickJSHandle;
  functions: Map<string, QuickJSHandle>;
}

export class Sandbox {
  readonly #module: QuickJSWASMModule;
  readonly #limits: ThreadLimits;
  readonly #now: () => number;
  /** In the order of their last run. */
  readonly #loaded = new Map<string, LoadedScript>();
  #deadline = 0;

  constructor(module: QuickJSWASMModule, limits: ThreadLimits, now: () => number) {
    this.#module = module;
    this.#limits = limits;
    this.#now = now;
  }

  perform(job: ScriptJob): JobOutcome {
    const script = this.#find(job) ?? (job.code === undefined ? undefined : this.#load(job, job.code));
    if (script === undefined) return { kind: "code_needed" };
    if ("kind" in script) return script;
    try {
      return job.run === undefined ? { kind: "done" } : this.#run(job.key, script, job.run);
    } finally {
      if (job.isOnce === true) this.#forget(job.key);
    }
  }

  #startTime(): void {
    this.#deadline = this.#now() + this.#limits.runMillisecondsMax;
  }

  #find({ key, version }: ScriptJob): LoadedScript | undefined {
    const script = this.#loaded.get(key);
    if (script === undefined || script.version !== version) return undefined;
    this.#loaded.delete(key);
    this.#loaded.set(key, script);
    return script;
  }

  #load({ key, version }: ScriptJob, code: string): LoadedScript | JobOutcome {
    this.#forget(key);
    // What is ours takes the time it takes.
    this.#deadline = Number.POSITIVE_INFINITY;
    const runtime = this.#module.newRuntime();
    runtime.setMemoryLimit(this.#limits.memoryBytesMax);
    runtime.setMaxStackSize(this.#limits.stackBytesMax);
    runtime.setInterruptHandler(() => this.#now() > this.#deadline);
    const context = runtime.newContext();
    const caller = context.unwrapResult(context.evalCode(callerCode, "caller.js"));
    const script: LoadedScript = { version, runtime, context, caller, functions: new Map() };
    this.#startTime();
    const result = context.evalCode(code, "script.js");
    if (result.error !== undefined) {
      const failure = this.#failure(context, result.error);
      dispose(script);
      return failure;
    }
    result.value.dispose();
    this.#loaded.set(key, script);
    this.#trim();
    return script;
  }

  #run(key: string, script: LoadedScript, run: NonNullable<ScriptJob["run"]>): JobOutcome {
    const { context, caller } = script;
    this.#startTime();
    const called = this.#functionOf(script, run.function);
    if (called === undefined) return { kind: "function_missing" };
    const text = context.newString(run.argumentsText);
    const result = context.callFunction(caller, context.undefined, called, text);
    text.dispose();
    if (result.error !== undefined) {
      const failure = this.#failure(context, result.error);
      // What it holds after an interruption or without memory is nobody's guess.
      this.#forget(key);
      return failure;
    }
    const { value } = result;
    if (context.typeof(value) !== "string") {
      value.dispose();
      return { kind: "done" };
    }
    const output = context.getString(value);
    value.dispose();
    if (output.length > this.#limits.outputBytesMax) return { kind: "output_too_large", characters: output.length };
    return { kind: "done", text: output };
  }

  /** Declared in whatever way: a top-level `const` is no member of the global object. */
  #functionOf({ context, functions }: LoadedScript, name: string): QuickJSHandle | undefined {
    const known = functions.get(name);
    if (known !== undefined) return known;
    const result = context.evalCode(`typeof ${name} === "function" ? ${name} : undefined`, "find.js");
    if (result.error !== undefined) {
      result.error.dispose();
      return undefined;
    }
    if (context.typeof(result.value) !== "function") {
      result.value.dispose();
      return undefined;
    }
    functions.set(name, result.value);
    return result.value;
  }

  #failure(context: QuickJSContext, error: QuickJSHandle): JobOutcome {
    const isOverrun = this.#now() > this.#deadline;
    // Reading the error may run the script's code again: it gets no more time than the run had.
    const message = isOverrun ? `took longer than ${this.#limits.runMillisecondsMax} ms` : describe(context.dump(error));
    error.dispose();
    return { kind: "threw", message, isOverrun };
  }

  #trim(): void {
    while (this.#loaded.size > this.#limits.loadedScriptsMax) {
      for (const oldest of this.#loaded.keys()) {
        this.#forget(oldest);
        break;
      }
    }
  }

  #forget(key: string): void {
    const script = this.#loaded.get(key);
    if (script === undefined) return;
    this.#loaded.delete(key);
    dispose(script);
  }
}

export async function openSandbox(limits: ThreadLimits, now: () => number): Promise<Sandbox> {
  return new Sandbox(await newQuickJSWASMModuleFromVariant(import("@jitl/quickjs-ng-wasmfile-release-sync")), limits, now);
}

function dispose({ context, runtime, caller, functions }: LoadedScript): void {
  for (const handle of functions.values()) handle.dispose();
  caller.dispose();
  context.dispose();
  runtime.dispose();
}

/** `TypeError: x is not a function (line 3)`. */
function describe(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error).slice(0, messageCharactersMax);
  const { name, message, stack } = error as { name?: unknown; message?: unknown; stack?: unknown };
  const line = typeof stack === "string" ? /script\.js:(\d+)/.exec(stack)?.[1] : undefined;
  const text = `${typeof name === "string" ? name : "Error"}: ${typeof message === "string" ? message : "no message"}`;
  return `${text.slice(0, messageCharactersMax)}${line === undefined ? "" : ` (line ${line})`}`;
}
