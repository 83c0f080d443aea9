/** What programs ask of devices: setting properties, calling services, desired values. */
import type { MessageRefusal, ParameterCheck, ThingModelProblem } from "@thingstead/thing-model";
import { PlatformError } from "../errors/index.ts";
import { AwaitedAnswers } from "./awaited-answers.ts";
import type { ThingLimits } from "./limits.ts";
import type { DesiredEntry, ThingHistory } from "./ports.ts";
import type { ProductModel, ProductModels } from "./product-models.ts";
import { showProblems } from "./read-thing-model.ts";
import type { DesiredValue, DeviceRef, ThingChange, ThingDownlink, Things } from "./things.ts";

interface CallsPorts {
  models: ProductModels;
  history: ThingHistory;
  downlink: ThingDownlink;
  clock: { now(): number };
  limits: ThingLimits;
  tell(change: ThingChange): void;
}

type Calls = Pick<Things, "setProperties" | "callService" | "answered" | "desired" | "setDesired" | "clearDesired">;

/** The generated service that sets properties [alibaba-device 5.10]. */
const setService = "set";
const idsMax = 2 ** 32;
const topicLevel = /^[^/+#\0]{1,128}$/;
/** The device got the call and did not answer, or not so that it can be read. */
const unansweredCodes: ReadonlySet<string> = new Set(["things.call_timeout", "bindings.answer_malformed"]);

export function createCalls({ models, history, downlink, clock, limits, tell }: CallsPorts): Calls {
  const awaited = new AwaitedAnswers(limits.callsAwaitedMax, limits.answerAwaitedSeconds * 1000);
  // Decimal digits up to 4294967295 [alibaba-device 5.1]; a restart does not begin with the ids of the last run.
  let lastId = clock.now() % idsMax;

  function nextId(): string {
    lastId = (lastId + 1) % idsMax;
    return String(lastId);
  }

  async function modelOf({ productKey }: DeviceRef): Promise<ProductModel> {
    const model = await models.get(productKey);
    if (model.modules.length === 0 && model.validator.level !== "none") throw new PlatformError("things.no_model", { productKey });
    return model;
  }

  /** Who asked is told that the call is under way: a crash loses neither the record nor the message that a lasting session is owed. */
  async function safe(): Promise<void> {
    await Promise.all([history.committed(), downlink.committed?.()]);
  }

  async function send(device: DeviceRef, values: Readonly<Record<string, unknown>>): Promise<string> {
    const id = nextId();
    const time = clock.now();
    await downlink.setProperties(device, { id, values });
    const slot = history.saveCall(device.iotId, { identifier: setService, time, input: values });
    awaited.add(device.iotId, id, { identifier: setService, slot }, time);
    await safe();
    return id;
  }

  /** A call that reached the device is recorded, answered or not. */
  async function callAndWait(device: DeviceRef, request: Parameters<ThingDownlink["callServiceAndWait"]>[1], time: number) {
    const { identifier, input } = request;
    try {
      const answer = await downlink.callServiceAndWait(device, request);
      const slot = history.saveCall(device.iotId, { identifier, time, input });
      history.saveAnswer(device.iotId, slot, { answeredAt: clock.now(), code: answer.code, output: answer.output });
      await history.committed();
      return answer;
    } catch (error) {
      if (error instanceof PlatformError && unansweredCodes.has(error.code)) {
        history.saveCall(device.iotId, { identifier, time, input });
        await history.committed();
      }
      throw error;
    }
  }

  async function changeDesired(device: DeviceRef, entries: readonly DesiredEntry[], isStrict: boolean) {
    const outcome = await history.changeDesired(device.iotId, entries, clock.now(), isStrict);
    if (outcome.kind === "conflict") {
      const { identifier, current } = outcome;
      const received = entries.find((entry) => entry.identifier === identifier)?.version ?? 0;
      throw new PlatformError("things.desired_version", { identifier, received, expected: current });
    }
    tell({ kind: "desired", device, values: outcome.values });
    return outcome.values;
  }

  return {
    async setProperties(device, values) {
      const model = await modelOf(device);
      return { id: await send(device, fitting(model.validator.checkPropertySet(values))) };
    },

    async callService(device, identifier, input, { timeoutMilliseconds = limits.serviceTimeoutMilliseconds } = {}) {
      const { serviceTimeoutMillisecondsMax } = limits;
      if (!Number.isInteger(timeoutMilliseconds) || timeoutMilliseconds < 1 || timeoutMilliseconds > serviceTimeoutMillisecondsMax)
        throw new PlatformError("things.timeout_range", { received: timeoutMilliseconds, expected: `1-${serviceTimeoutMillisecondsMax}` });
      const model = await modelOf(device);
      const service = model.services.get(identifier);
      // Without checks any name goes, but for one that would make a topic of another meaning.
      if (service === undefined && (model.validator.level !== "none" || !topicLevel.test(identifier)))
        throw new PlatformError("things.service_unknown", { productKey: device.productKey, identifier: identifier.slice(0, 80) });
      const values = fitting(model.validator.checkServiceInput(identifier, input));
      const id = nextId();
      const time = clock.now();
      if (service?.callType === "sync") {
        const { code, output } = await callAndWait(device, { id, identifier, input: values, timeoutMilliseconds }, time);
        return { id, code, output };
      }
      await downlink.callService(device, { id, identifier, input: values });
      const slot = history.saveCall(device.iotId, { identifier, time, input: values });
      awaited.add(device.iotId, id, { identifier, slot }, time);
      await safe();
      return { id };
    },

    async answered(device, id, { code, output }) {
      const call = awaited.take(device.iotId, id);
      if (call === undefined) return undefined;
      history.saveAnswer(device.iotId, call.slot, { answeredAt: clock.now(), code, output });
      const model = await models.get(device.productKey);
      const check = call.identifier === setService ? noOutput : model.validator.checkServiceOutput(call.identifier, output);
      await history.committed();
      return check;
    },

    async desired(device, identifiers) {
      const values = await history.desired(device.iotId);
      if (identifiers === undefined) return values;
      if (identifiers.length > limits.desiredValuesMax)
        throw new PlatformError("things.too_many_values", { received: identifiers.length, expected: limits.desiredValuesMax });
      const wished = identifiers.flatMap((name): [string, DesiredValue][] => {
        const value = Object.hasOwn(values, name) ? values[name] : undefined;
        return value === undefined ? [] : [[name, value]];
      });
      return Object.fromEntries(wished);
    },

    async setDesired(device, values, versions = {}) {
      const model = await modelOf(device);
      if (typeof values !== "object" || values === null || Array.isArray(values)) fitting(model.validator.checkPropertySet(values));
      const given = Object.entries(values as Record<string, unknown>);
      if (given.length > limits.desiredValuesMax)
        throw new PlatformError("things.too_many_values", { received: given.length, expected: limits.desiredValuesMax });
      // Null clears [alibaba-server 1.8.H]; whatever else must fit the model.
      const set = Object.fromEntries(given.filter(([, value]) => value !== null));
      const checked = fitting(model.validator.checkPropertySet(set));
      const entries = given.map(([identifier, value]): DesiredEntry => {
        const version = Object.hasOwn(versions, identifier) ? versions[identifier] : undefined;
        return {
          identifier,
          ...(value === null ? {} : { value: checked[identifier] }),
          ...(version === undefined ? {} : { version }),
        };
      });
      const changed = await changeDesired(device, entries, true);
      if (Object.keys(checked).length > 0) {
        try {
          await send(device, checked);
        } catch (error) {
          // It asks for its desired values when it comes back [alibaba-device 5.9].
          if (!(error instanceof PlatformError) || error.code !== "things.device_offline") throw error;
        }
      }
      return Object.fromEntries(Object.entries(changed).map(([identifier, { version }]) => [identifier, version]));
    },

    async clearDesired(device, entries) {
      const given = Object.entries(entries);
      if (given.length > limits.desiredValuesMax)
        throw new PlatformError("things.too_many_values", { received: given.length, expected: limits.desiredValuesMax });
      await changeDesired(
        device,
        given.map(([identifier, { version }]) => ({ identifier, ...(version === undefined ? {} : { version }) })),
        false,
      );
    },
  };
}

const noOutput: ParameterCheck = { values: {}, checkFailedData: {}, problems: [] };

/** The values when all fit. */
function fitting(check: ParameterCheck & { refusal?: MessageRefusal }): Readonly<Record<string, unknown>> {
  const problems: readonly ThingModelProblem[] = check.refusal === undefined ? check.problems : [check.refusal.problem];
  const [first] = problems;
  if (first === undefined) return check.values;
  const { path, received, expected, code } = first;
  throw new PlatformError("things.value_invalid", { problems: showProblems(problems), path, received, expected, reason: code });
}
