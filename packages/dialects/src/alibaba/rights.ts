/** What a device may do on topics. Source: alibaba-device.md, 3 and 4. */
import type { DeviceNames, DialectRefusal, TopicClass, TopicDecision, TopicRights } from "../dialect.ts";
import { alibabaSystemTopics, rrpcTopicTemplate, type SystemTopic, systemTopicFamilies } from "./system-topics.ts";
import { areCovering, compilePattern, covers, type TopicPattern } from "./topic-pattern.ts";

export const alibabaTopicLimits = {
  /** UTF-8 bytes of a custom topic; system topics may be longer (3). */
  customTopicBytesMax: 128,
} as const;

/** Asks for the product's parsing script; not part of the topic that others see (4.2). */
const scriptSuffix = "?_sn=default";
const ownPrefix = "/${productKey}/${deviceName}/";

interface CompiledRow {
  row: SystemTopic;
  pattern: TopicPattern;
}

/** A family's rows, split by direction once: a publish looks at a dozen rows, not at all of them. */
interface CompiledFamily {
  up: readonly CompiledRow[];
  down: readonly CompiledRow[];
  downPatterns: readonly TopicPattern[];
}

const families: ReadonlyMap<string, CompiledFamily> = new Map([...systemTopicFamilies].map((family) => [family, compileFamily(family)]));

function compileFamily(family: string): CompiledFamily {
  const rows = alibabaSystemTopics
    .filter((row) => row.template.startsWith(`/${family}/`))
    .map((row) => ({ row, pattern: compilePattern(row.template) }));
  const down = rows.filter(({ row }) => row.direction !== "up");
  return { up: rows.filter(({ row }) => row.direction !== "down"), down, downPatterns: down.map(({ pattern }) => pattern) };
}

/** A product's classes, compiled once and shared by its devices. */
interface CompiledClasses {
  publishable: readonly TopicPattern[];
  subscribable: readonly TopicPattern[];
}

const compiledClasses = new WeakMap<readonly TopicClass[], CompiledClasses>();

function compileClasses(classes: readonly TopicClass[]): CompiledClasses {
  const known = compiledClasses.get(classes);
  if (known !== undefined) return known;
  // A template behind a slash that does not hold both names would open other devices' topics.
  const own = classes.filter(({ template }) => template.startsWith(ownPrefix) || isOpenTemplate(template));
  const patternsOf = (operation: "PUB" | "SUB") =>
    own.filter((each) => each.operation === operation || each.operation === "ALL").map(({ template }) => compilePattern(template));
  const compiled = { publishable: patternsOf("PUB"), subscribable: patternsOf("SUB") };
  compiledClasses.set(classes, compiled);
  return compiled;
}

/** A topic that is no device's: another cloud's, or a plain one. A wildcard at its front would match those of devices as well. */
function isOpenTemplate(template: string): boolean {
  return !/^(?:[/+#]|\$\{|$)/.test(template);
}

/**
 * Rights of one device. The list must not be changed afterwards: its compiled form is shared by all devices that are
 * compiled with the same array.
 */
export function compileRights(productKey: string, deviceName: string, classes: readonly TopicClass[]): TopicRights {
  return new DeviceTopicRights({ productKey, deviceName }, compileClasses(classes));
}

class DeviceTopicRights implements TopicRights {
  readonly #names: DeviceNames;
  readonly #classes: CompiledClasses;

  constructor(names: DeviceNames, classes: CompiledClasses) {
    this.#names = names;
    this.#classes = classes;
  }

  publish(wireTopic: string): TopicDecision {
    if (/[+#]/.test(wireTopic)) return refuse("access.topic_wildcard", wireTopic, "a topic without + and #");
    const topic = wireTopic.endsWith(scriptSuffix) ? wireTopic.slice(0, -scriptSuffix.length) : wireTopic;
    const levels = topic.split("/");
    const family = levels[0] === "" ? families.get(levels[1] ?? "") : undefined;
    if (family !== undefined) return this.#publishSystem(wireTopic, wireTopic.split("/"), family);
    const tooLong = lengthRefusal(topic);
    if (tooLong !== undefined) return tooLong;
    if (this.#isCovered(this.#classes.publishable, levels)) return { kind: "allowed", topic };
    return this.#explain(topic, levels, this.#classes.subscribable, this.#classes.publishable, "PUB or ALL");
  }

  subscribe(filter: string): TopicDecision {
    const levels = filter.split("/");
    const family = levels[0] === "" ? families.get(levels[1] ?? "") : undefined;
    if (family !== undefined) return this.#subscribeSystem(filter, levels, family);
    const tooLong = lengthRefusal(filter);
    if (tooLong !== undefined) return tooLong;
    if (areCovering(this.#classes.subscribable, levels, this.#names)) return { kind: "allowed", topic: filter };
    return this.#explain(filter, levels, this.#classes.publishable, this.#classes.subscribable, "SUB or ALL");
  }

  #publishSystem(topic: string, levels: readonly string[], family: CompiledFamily): TopicDecision {
    const inner = rrpcInnerTopic(levels);
    if (inner !== undefined) return this.#decideRrpc(topic, inner);
    const up = family.up.find(({ pattern }) => covers(pattern, levels, this.#names));
    if (up !== undefined) return { kind: "allowed", topic, system: up.row.template };
    const down = family.down.find(({ pattern }) => covers(pattern, levels, this.#names));
    if (down !== undefined) return refuse("access.topic_direction", topic, `${down.row.template} is for subscribing only`);
    return this.#foreignOrUndefined(topic, levels, "a topic of the system topic table");
  }

  #subscribeSystem(filter: string, levels: readonly string[], family: CompiledFamily): TopicDecision {
    const inner = rrpcInnerTopic(levels);
    if (inner !== undefined) return this.#decideRrpc(filter, inner);
    const down = family.down.find(({ pattern }) => covers(pattern, levels, this.#names));
    if (down !== undefined) return { kind: "allowed", topic: filter, system: down.row.template };
    if (areCovering(family.downPatterns, levels, this.#names)) return { kind: "allowed", topic: filter, system: filter };
    const up = family.up.find(({ pattern }) => covers(pattern, levels, this.#names));
    if (up !== undefined) return refuse("access.topic_direction", filter, `${up.row.template} is for publishing only`);
    return this.#foreignOrUndefined(filter, levels, "a filter within the system topic table");
  }

  /** 8.4: the response goes out on the topic of the request, so both need the right to subscribe to the topic inside. */
  #decideRrpc(topic: string, inner: string): TopicDecision {
    const decision = this.subscribe(inner);
    return decision.kind === "allowed" ? { kind: "allowed", topic, system: rrpcTopicTemplate } : { ...decision, received: topic };
  }

  #isCovered(patterns: readonly TopicPattern[], levels: readonly string[]): boolean {
    return patterns.some((pattern) => covers(pattern, levels, this.#names));
  }

  #explain(
    topic: string,
    levels: readonly string[],
    opposite: readonly TopicPattern[],
    wanted: readonly TopicPattern[],
    right: string,
  ): DialectRefusal {
    const list = wanted.map(({ template }) => template);
    const expected = `a topic class with right ${right}: ${list.length === 0 ? "the product has none" : shorten(list)}`;
    if (this.#isCovered(opposite, levels)) return refuse("access.topic_direction", topic, expected);
    return this.#foreignOrUndefined(topic, levels, expected);
  }

  #foreignOrUndefined(topic: string, levels: readonly string[], expected: string): DialectRefusal {
    const { productKey, deviceName } = this.#names;
    const isOwn = levels.some((level, index) => level === productKey && levels[index + 1] === deviceName);
    if (isOwn) return refuse("access.topic_undefined", topic, expected);
    return refuse("access.topic_foreign", topic, `a topic with /${productKey}/${deviceName} in it`);
  }
}

/** `/ext/rrpc/${messageId}/pk/dn/…` → `/pk/dn/…`; nested RRPC is none. */
function rrpcInnerTopic(levels: readonly string[]): string | undefined {
  if (levels[1] !== "ext" || levels[2] !== "rrpc" || levels.length < 5) return undefined;
  if (levels[3] === "" || levels[4] === "ext") return undefined;
  return `/${levels.slice(4).join("/")}`;
}

function lengthRefusal(topic: string): DialectRefusal | undefined {
  const bytesMax = alibabaTopicLimits.customTopicBytesMax;
  const bytes = Buffer.byteLength(topic);
  if (bytes <= bytesMax) return undefined;
  return refuse("access.topic_too_long", `${bytes} bytes: ${topic.slice(0, bytesMax)}…`, `at most ${bytesMax} bytes`);
}

const templatesShownMax = 8;

function shorten(templates: readonly string[]): string {
  const shown = templates.slice(0, templatesShownMax).join(", ");
  return templates.length > templatesShownMax ? `${shown}, …` : shown;
}

function refuse(code: string, received: string, expected: string): DialectRefusal {
  return { kind: "refused", code, received, expected };
}
