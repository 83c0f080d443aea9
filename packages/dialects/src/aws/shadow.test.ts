import fc from "fast-check";
import { describe, expect, test } from "vitest";
import vectors from "../../../../conformance/aws/shadow-vectors.json" with { type: "json" };
import {
  formatThingShadow,
  formatThingShadowAccepted,
  formatThingShadowDeleted,
  formatThingShadowDelta,
  formatThingShadowDocuments,
  formatThingShadowRefusal,
  formatThingShadowTexts,
  parseThingShadow,
  type ThingShadow,
  updateThingShadow,
} from "./shadow.ts";
import { isSameValue, parseShadowJson, type ShadowNode } from "./shadow-json.ts";
import { readThingShadowName } from "./shadow-refusals.ts";
import {
  defaultThingShadowLimits as limits,
  readThingShadowQuestion,
  readThingShadowUpdate,
  type ThingShadowUpdate,
} from "./shadow-request.ts";
import { deltaOf, mergeState, type TimedNode, timesOf } from "./shadow-state.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const read = (payload: Uint8Array | undefined): unknown => (payload === undefined ? null : JSON.parse(Buffer.from(payload).toString()));
const lamp = { thingName: "lamp", shadowName: "" };

function update(text: string): ThingShadowUpdate {
  const request = readThingShadowUpdate(bytes(text), limits);
  if (request.kind !== "update") throw new Error(`refused: ${request.reason}`);
  return request;
}

function apply(before: ThingShadow | undefined, text: string, at = 9): ThingShadow {
  const outcome = updateThingShadow({ before, storedVersion: before?.version ?? 0 }, update(text), at, limits);
  if (outcome.kind !== "updated") throw new Error(`refused: ${outcome.reason}`);
  return outcome.shadow;
}

describe("11.3 what is refused", () => {
  test.each(vectors.refusedUpdates)("$title", ({ payload, code, message, clientToken }) => {
    const request = readThingShadowUpdate(bytes(payload), limits);
    if (request.kind !== "refused") throw new Error("not refused");
    expect(read(formatThingShadowRefusal(request, lamp, 7))).toEqual({
      code,
      message,
      timestamp: 7,
      ...(clientToken === undefined ? {} : { clientToken }),
    });
  });

  test("bytes that are not UTF-8: 415; a request beyond its limit: 413, unread", () => {
    expect(readThingShadowUpdate(Uint8Array.of(0x7b, 0xff, 0x7d), limits)).toMatchObject({ kind: "refused", reason: "not_utf8" });
    expect(readThingShadowUpdate(new Uint8Array(limits.requestBytesMax + 1), limits)).toMatchObject({
      kind: "refused",
      reason: "too_large",
    });
  });

  test("a document over 8 KB: 413; the token comes back", () => {
    const half = "x".repeat(5_000);
    const before = apply(undefined, JSON.stringify({ state: { reported: { a: half } } }));
    const more = update(JSON.stringify({ state: { desired: { a: half } }, clientToken: "t" }));
    const outcome = updateThingShadow({ before, storedVersion: 1 }, more, 9, limits);
    expect(outcome).toMatchObject({ kind: "refused", reason: "too_large", clientToken: "t" });
    expect(apply(before, JSON.stringify({ state: { reported: null, desired: { a: half } } })).state).toEqual({ desired: { a: half } });
  });

  test("8 levels are taken, brackets in thousands are refused without falling over", () => {
    expect(apply(undefined, '{"state":{"desired":{"2":{"3":{"4":{"5":{"6":{"7":{"8":9}}}}}}}}}').version).toBe(1);
    const deep = `{"state":{"desired":{"a":${"[".repeat(7_000)}${"]".repeat(7_000)}}}}`;
    expect(readThingShadowUpdate(bytes(deep), limits)).toMatchObject({ kind: "refused", reason: "too_deep" });
  });

  test("a request cannot pass itself off as a refusal of ours", () => {
    const payload = bytes('{"kind":"refused","reason":"no such reason"}');
    expect(readThingShadowUpdate(payload, limits)).toMatchObject({ kind: "refused", reason: "state_missing" });
    expect(readThingShadowQuestion(payload, limits)).toEqual({ kind: "question" });
  });

  test("names: 128 and 64 characters of the vendor's set", () => {
    expect(readThingShadowName({ thingName: "a:_-9", shadowName: "" }, limits)).toBeUndefined();
    expect(readThingShadowName({ thingName: "t", shadowName: "s".repeat(64) }, limits)).toBeUndefined();
    expect(readThingShadowName({ thingName: "t", shadowName: "s".repeat(65) }, limits)?.reason).toBe("shadow_name_invalid");
    expect(readThingShadowName({ thingName: "t", shadowName: "s.t" }, limits)?.reason).toBe("shadow_name_invalid");
    expect(readThingShadowName({ thingName: "t".repeat(129), shadowName: "" }, limits)?.reason).toBe("thing_name_invalid");
    expect(readThingShadowName({ thingName: "灯", shadowName: "" }, limits)?.reason).toBe("thing_name_invalid");
  });

  test("404 names the shadow, in quotes", () => {
    const message = (shadowName: string) => read(formatThingShadowRefusal({ reason: "not_found" }, { ...lamp, shadowName }, 7));
    expect(message("")).toEqual({ code: 404, message: "No shadow exists with name: 'lamp'", timestamp: 7 });
    expect(message("cfg")).toEqual({ code: 404, message: "No shadow exists with name: 'cfg'", timestamp: 7 });
  });
});

describe("11.1, 11.2 what an update does and tells", () => {
  test.each(vectors.updates)("$title", ({ at, before, request, accepted, delta, documents }) => {
    const stored = (before ?? undefined) as ThingShadow | undefined;
    const told = update(JSON.stringify(request));
    const base = { before: stored, storedVersion: stored?.version ?? 0 };
    const outcome = updateThingShadow(base, told, at, limits);
    if (outcome.kind !== "updated") throw new Error(outcome.reason);
    const moment = { atSeconds: at, ...(told.clientToken === undefined ? {} : { clientToken: told.clientToken }) };
    expect(read(formatThingShadowAccepted(told, outcome.shadow.version, moment))).toEqual(accepted);
    expect(read(formatThingShadowDelta(outcome.shadow, moment))).toEqual(delta);
    if (documents !== null) expect(read(formatThingShadowDocuments(base, outcome.shadow, moment))).toEqual(documents);
  });

  test("a version that is not the stored one: 409; the numbering of a deleted shadow goes on", () => {
    const wish = update('{"state":{},"version":4,"clientToken":"t"}');
    const conflict = updateThingShadow({ before: undefined, storedVersion: 3 }, wish, 9, limits);
    expect(conflict).toMatchObject({ kind: "refused", reason: "version_conflict", received: "4", expected: "3", clientToken: "t" });
    expect(updateThingShadow({ before: undefined, storedVersion: 4 }, wish, 9, limits)).toMatchObject({ shadow: { version: 5 } });
  });

  test("get answers the whole with its delta, delete the version", () => {
    const shadow = apply(undefined, '{"state":{"desired":{"a":1},"reported":{"a":2}}}');
    expect(read(formatThingShadow(shadow, { atSeconds: 11, clientToken: "t" }))).toEqual({
      state: { desired: { a: 1 }, reported: { a: 2 }, delta: { a: 1 } },
      metadata: { desired: { a: { timestamp: 9 } }, reported: { a: { timestamp: 9 } }, delta: { a: { timestamp: 9 } } },
      version: 1,
      timestamp: 11,
      clientToken: "t",
    });
    expect(read(formatThingShadowDeleted(3, { atSeconds: 11 }))).toEqual({ version: 3, timestamp: 11 });
  });

  test("a question may be empty, or an object with a token and a version", () => {
    expect(readThingShadowQuestion(bytes(""), limits)).toEqual({ kind: "question" });
    expect(readThingShadowQuestion(bytes('{"clientToken":"t","version":3}'), limits)).toEqual({
      kind: "question",
      clientToken: "t",
      version: 3,
    });
    expect(readThingShadowQuestion(bytes("hello"), limits)).toMatchObject({ kind: "refused", reason: "not_json" });
  });

  test("numbers stay as they were written, neighbours of 64 bits stay different, and __proto__ is a name", () => {
    const text = '{"state":{"reported":{"id":9007199254740993,"v":1.0,"__proto__":{"x":1}},"desired":{"id":9007199254740992,"v":1}}}';
    const shadow = apply(undefined, text);
    const texts = formatThingShadowTexts(shadow);
    expect(texts.state).toContain('{"id":9007199254740993,"v":1.0,"__proto__":{"x":1}}');
    const again = parseThingShadow(texts, 1);
    expect(formatThingShadowTexts(again)).toEqual(texts);
    expect(Buffer.from(formatThingShadow(again, { atSeconds: 1 })).toString()).toContain('"delta":{"id":9007199254740992}');
  });
});

const leaf = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.integer({ min: -3, max: 3 }),
  fc.boolean(),
  fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
);
const name = fc.constantFrom("a", "b", "c", "__proto__", "timestamp");
const { node, patch } = fc.letrec<{ node: ShadowNode; patch: ShadowNode; inner: unknown; wish: unknown }>((tie) => ({
  inner: fc.oneof({ depthSize: "small" }, leaf, tie("node")),
  wish: fc.oneof({ depthSize: "small" }, leaf, fc.constant(null), tie("patch")),
  node: fc.array(fc.tuple(name, tie("inner")), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
  patch: fc.array(fc.tuple(name, tie("wish")), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
}));

const timed = (values: ShadowNode, at: number) => ({ values, times: timesOf(values, at) as ShadowNode });

describe("laws", () => {
  test("a device that reports the delta has none left", () => {
    fc.assert(
      fc.property(node, node, (desired, reported) => {
        const delta = deltaOf(timed(desired, 1), reported);
        const after = mergeState(timed(reported, 2), delta?.values ?? {}, 3);
        expect(deltaOf(timed(desired, 1), after.values)).toBeUndefined();
      }),
    );
  });

  test("times have the shape of the values after any updates", () => {
    const shapeOf = (value: unknown): unknown => timesOf(value, 0);
    const unstamped = (times: ShadowNode): unknown => JSON.parse(JSON.stringify(times).replaceAll(/"timestamp":\d+/g, '"timestamp":0'));
    fc.assert(
      fc.property(node, fc.array(patch, { maxLength: 4 }), (first, patches) => {
        const after = patches.reduce<TimedNode>((state, each, index) => mergeState(state, each, index + 2), timed(first, 1));
        expect(unstamped(after.times)).toEqual(JSON.parse(JSON.stringify(shapeOf(after.values))));
      }),
    );
  });

  test("an update given twice changes nothing the second time", () => {
    fc.assert(
      fc.property(node, patch, (state, each) => {
        const once = mergeState(timed(state, 1), each, 2).values;
        expect(isSameValue(mergeState(timed(once, 1), each, 3).values, once)).toBe(true);
      }),
    );
  });

  test("updates without nulls that keep kinds apart can be put together first", () => {
    // A plain value between two objects would forget what the first one brought: only same kinds at the same name associate.
    const sameKinds = fc.record(
      { a: fc.record({ x: leaf, y: leaf }, { requiredKeys: [] }), b: leaf },
      { requiredKeys: [] },
    ) as fc.Arbitrary<ShadowNode>;
    fc.assert(
      fc.property(sameKinds, sameKinds, sameKinds, (state, first, second) => {
        const oneByOne = mergeState(mergeState(timed(state, 1), first, 2), second, 3).values;
        const together = mergeState(timed(state, 1), mergeState(timed(first, 2), second, 3).values, 3).values;
        expect(isSameValue(oneByOne, together)).toBe(true);
      }),
    );
  });

  test("a text read and written is the same JSON", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(parseShadowJson(text))).toBe(JSON.stringify(parseShadowJson(JSON.stringify(parseShadowJson(text)))));
      }),
    );
  });
});
