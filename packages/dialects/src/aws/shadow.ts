/** A thing's shadow: how an update changes it, and the messages that tell of it (AWS reference, 11). Pure; times are seconds. */
import { parseShadowJson, type ShadowNode } from "./shadow-json.ts";
import { type ThingShadowName, type ThingShadowRefusal, thingShadowRefusalMessage, thingShadowRefusals } from "./shadow-refusals.ts";
import type { ThingShadowLimits, ThingShadowUpdate } from "./shadow-request.ts";
import { deltaOf, emptyNode, mergeState, type TimedNode, timesOf } from "./shadow-state.ts";

const sections = ["desired", "reported"] as const;
type Section = (typeof sections)[number];

/** `desired` and `reported`, each absent when it is empty. */
type Sections = Readonly<Partial<Record<Section, ShadowNode>>>;

export interface ThingShadow {
  readonly version: number;
  readonly state: Sections;
  readonly metadata: Sections;
}

/** What is kept of a shadow: JSON texts. */
export interface ThingShadowTexts {
  readonly state: string;
  readonly metadata: string;
}

export function formatThingShadowTexts({ state, metadata }: ThingShadow): ThingShadowTexts {
  return { state: JSON.stringify(state), metadata: JSON.stringify(metadata) };
}

/** Only of texts that {@link formatThingShadowTexts} made. */
export function parseThingShadow(texts: ThingShadowTexts, version: number): ThingShadow {
  return { version, state: parseShadowJson(texts.state) as Sections, metadata: JSON.parse(texts.metadata) as Sections };
}

const emptyShadow = (version: number): ThingShadow => ({ version, state: {}, metadata: {} });

function sectionOf(shadow: ThingShadow, section: Section): TimedNode {
  const values = shadow.state[section];
  return values === undefined ? emptyNode : { values, times: shadow.metadata[section] ?? {} };
}

/** The next version. `storedVersion` is also that of a shadow deleted lately, whose numbering goes on; 0: there was none. */
export function updateThingShadow(
  { before, storedVersion }: { before: ThingShadow | undefined; storedVersion: number },
  update: ThingShadowUpdate,
  atSeconds: number,
  limits: ThingShadowLimits,
): { kind: "updated"; shadow: ThingShadow } | ({ kind: "refused" } & ThingShadowRefusal) {
  const token = update.clientToken === undefined ? {} : { clientToken: update.clientToken };
  if (update.version !== undefined && update.version !== storedVersion) {
    return { kind: "refused", reason: "version_conflict", received: String(update.version), expected: String(storedVersion), ...token };
  }
  const state: Partial<Record<Section, ShadowNode>> = {};
  const metadata: Partial<Record<Section, ShadowNode>> = {};
  for (const section of sections) {
    const patch = update.state[section];
    if (patch === null) continue;
    const known = sectionOf(before ?? emptyShadow(storedVersion), section);
    const { values, times } = patch === undefined ? known : mergeState(known, patch, atSeconds);
    if (Object.keys(values).length === 0) continue;
    state[section] = values;
    metadata[section] = times;
  }
  const bytes = Buffer.byteLength(JSON.stringify(state));
  if (bytes > limits.documentBytesMax) {
    return {
      kind: "refused",
      reason: "too_large",
      received: `${bytes} bytes`,
      expected: `at most ${limits.documentBytesMax} bytes`,
      ...token,
    };
  }
  return { kind: "updated", shadow: { version: storedVersion + 1, state, metadata } };
}

interface Moment {
  readonly atSeconds: number;
  readonly clientToken?: string;
}

/** The token stands last, as the vendor writes it. */
function withMoment(members: object, { atSeconds, clientToken }: Moment): object {
  return { ...members, timestamp: atSeconds, ...(clientToken === undefined ? {} : { clientToken }) };
}

function encode(message: object): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}

/** `update/accepted`: what was requested, with the times of what was set. */
export function formatThingShadowAccepted(update: ThingShadowUpdate, version: number, moment: Moment): Uint8Array {
  const { state } = update;
  const metadata: Partial<Record<Section, unknown>> = {};
  for (const section of sections) {
    const node = state[section];
    if (node !== undefined && node !== null) metadata[section] = timesOf(node, moment.atSeconds);
  }
  return encode(withMoment({ state, metadata, version }, moment));
}

function deltaOfShadow(shadow: ThingShadow): TimedNode | undefined {
  return deltaOf(sectionOf(shadow, "desired"), sectionOf(shadow, "reported").values);
}

/** `update/delta`; undefined: nothing differs. */
export function formatThingShadowDelta(shadow: ThingShadow, { atSeconds, clientToken }: Moment): Uint8Array | undefined {
  const delta = deltaOfShadow(shadow);
  if (delta === undefined) return undefined;
  const token = clientToken === undefined ? {} : { clientToken };
  return encode({ version: shadow.version, timestamp: atSeconds, state: delta.values, metadata: delta.times, ...token });
}

/** `update/documents`: before and after, whole. */
export function formatThingShadowDocuments(
  { before, storedVersion }: { before: ThingShadow | undefined; storedVersion: number },
  current: ThingShadow,
  moment: Moment,
): Uint8Array {
  const told = ({ state, metadata, version }: ThingShadow): object => ({ state, metadata, version });
  return encode(withMoment({ previous: told(before ?? emptyShadow(storedVersion)), current: told(current) }, moment));
}

/** `get/accepted`, and what is answered over HTTP. */
export function formatThingShadow(shadow: ThingShadow, moment: Moment): Uint8Array {
  const delta = deltaOfShadow(shadow);
  const state = delta === undefined ? shadow.state : { ...shadow.state, delta: delta.values };
  const metadata = delta === undefined ? shadow.metadata : { ...shadow.metadata, delta: delta.times };
  return encode(withMoment({ state, metadata, version: shadow.version }, moment));
}

/** `delete/accepted`. */
export function formatThingShadowDeleted(version: number, moment: Moment): Uint8Array {
  return encode(withMoment({ version }, moment));
}

/** `…/rejected`. */
export function formatThingShadowRefusal(refusal: ThingShadowRefusal, shadow: ThingShadowName, atSeconds: number): Uint8Array {
  const { reason, clientToken } = refusal;
  const { code } = thingShadowRefusals[reason];
  return encode(
    withMoment(
      { code, message: thingShadowRefusalMessage(reason, shadow) },
      { atSeconds, ...(clientToken === undefined ? {} : { clientToken }) },
    ),
  );
}
