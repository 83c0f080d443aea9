/** Shadows of things in the vendor's words: what is asked over MQTT and over HTTP goes this one way (AWS reference, 11). */
import {
  defaultThingShadowLimits,
  formatThingShadow,
  formatThingShadowAccepted,
  formatThingShadowDeleted,
  formatThingShadowDelta,
  formatThingShadowDocuments,
  formatThingShadowTexts,
  parseThingShadow,
  readThingShadowName,
  readThingShadowQuestion,
  readThingShadowUpdate,
  type ThingShadow,
  type ThingShadowLimits,
  type ThingShadowName,
  type ThingShadowRefusal,
  type ThingShadowRefusalReason,
  updateThingShadow,
} from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import type { NamedShadowStep, NamedShadows, NamedShadowView } from "../../device-services/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { AwsAnswers } from "./uplink.ts";

export interface AwsShadowLimits extends ThingShadowLimits {
  /** Requests of one connection that are not answered yet. */
  requestsPerConnectionMax: number;
}

export const defaultAwsShadowLimits: AwsShadowLimits = { ...defaultThingShadowLimits, requestsPerConnectionMax: 10 };

export interface ThingShadowsPorts {
  shadows: NamedShadows;
  answers: Pick<AwsAnswers, "publish">;
  clock: Pick<Clock, "now">;
  limits: ThingShadowLimits;
}

export type ThingShadowAnswer =
  /** What `…/accepted` carries, and what is answered over HTTP. */
  | { readonly kind: "done"; readonly payload: Uint8Array }
  /** The world's fault. */
  | { readonly kind: "failed"; readonly refusal: ThingShadowRefusal; readonly error: unknown }
  | { readonly kind: "refused"; readonly refusal: ThingShadowRefusal };

/** Payloads are read during the call. What is answered is on the disk. */
export interface ThingShadows {
  get(shadow: ThingShadowName, payload: Uint8Array): Promise<ThingShadowAnswer>;
  /** Published on `…/accepted`, `documents` and `delta`, in this order, before it resolves. */
  update(shadow: ThingShadowName, payload: Uint8Array): Promise<ThingShadowAnswer>;
  /** Published on `…/accepted` before it resolves. */
  delete(shadow: ThingShadowName, payload: Uint8Array): Promise<ThingShadowAnswer>;
}

/** `$aws/things/<thing>/shadow`, with `/name/<shadow>` for one that has a name. */
export function shadowTopicOf({ thingName, shadowName }: ThingShadowName): string {
  const classic = `$aws/things/${thingName}/shadow`;
  return shadowName === "" ? classic : `${classic}/name/${shadowName}`;
}

/** Refusals of the room that keeps them. */
const roomRefusals: Readonly<Record<string, ThingShadowRefusalReason>> = {
  "device_services.named_shadow_busy": "throttled",
  "device_services.named_shadow_throttled": "throttled",
  "device_services.named_shadow_too_many": "too_many",
  "device_services.named_shadow_storage_full": "storage_full",
};

interface Told {
  readonly topic: string;
  readonly payload: Uint8Array;
}

type Outcome = { kind: "refused"; refusal: ThingShadowRefusal } | { kind: "done"; payload: Uint8Array; told: readonly Told[] };
type Token = { clientToken?: string };

const tokenOf = ({ clientToken }: Token): Token => (clientToken === undefined ? {} : { clientToken });

const no = (refusal: ThingShadowRefusal): ThingShadowAnswer => ({ kind: "refused", refusal });

function refuse(refusal: ThingShadowRefusal): NamedShadowStep<Outcome> {
  return { kind: "keep", answer: { kind: "refused", refusal } };
}

function shadowOf({ shadow }: NamedShadowView): ThingShadow | undefined {
  return shadow === undefined ? undefined : parseThingShadow(shadow, shadow.version);
}

export function createThingShadows({ shadows, answers, clock, limits }: ThingShadowsPorts): ThingShadows {
  const momentOf = (token: Token) => ({ atSeconds: Math.floor(clock.now() / 1000), ...tokenOf(token) });

  async function take(
    name: ThingShadowName,
    token: Token,
    step: (view: NamedShadowView) => NamedShadowStep<Outcome>,
  ): Promise<ThingShadowAnswer> {
    let outcome: Outcome;
    try {
      outcome = await shadows.take(name, step);
    } catch (error) {
      const reason = error instanceof PlatformError ? roomRefusals[error.code] : undefined;
      if (reason === undefined || !(error instanceof PlatformError))
        return { kind: "failed", refusal: { reason: "failed", ...tokenOf(token) }, error };
      return no({ reason, received: error.message, expected: String(error.details.expected ?? ""), ...tokenOf(token) });
    }
    if (outcome.kind === "refused") return outcome;
    for (const { topic, payload } of outcome.told) answers.publish(topic, payload);
    return { kind: "done", payload: outcome.payload };
  }

  return {
    async get(name, payload) {
      const refusal = readThingShadowName(name, limits);
      if (refusal !== undefined) return no(refusal);
      const question = readThingShadowQuestion(payload, limits);
      if (question.kind === "refused") return no(question);
      return take(name, question, (view) => {
        const shadow = shadowOf(view);
        if (shadow === undefined) return refuse({ reason: "not_found", ...tokenOf(question) });
        return { kind: "keep", answer: { kind: "done", payload: formatThingShadow(shadow, momentOf(question)), told: [] } };
      });
    },

    async update(name, payload) {
      const refusal = readThingShadowName(name, limits);
      if (refusal !== undefined) return no(refusal);
      const update = readThingShadowUpdate(payload, limits);
      if (update.kind === "refused") return no(update);
      const topic = `${shadowTopicOf(name)}/update`;
      return take(name, update, (view) => {
        const moment = momentOf(update);
        const base = { before: shadowOf(view), storedVersion: view.storedVersion };
        const updated = updateThingShadow(base, update, moment.atSeconds, limits);
        if (updated.kind === "refused") return refuse(updated);
        const { shadow } = updated;
        const accepted = formatThingShadowAccepted(update, shadow.version, moment);
        const delta = formatThingShadowDelta(shadow, moment);
        const told = [
          { topic: `${topic}/accepted`, payload: accepted },
          { topic: `${topic}/documents`, payload: formatThingShadowDocuments(base, shadow, moment) },
          ...(delta === undefined ? [] : [{ topic: `${topic}/delta`, payload: delta }]),
        ];
        return { kind: "save", content: formatThingShadowTexts(shadow), answer: { kind: "done", payload: accepted, told } };
      });
    },

    async delete(name, payload) {
      const refusal = readThingShadowName(name, limits);
      if (refusal !== undefined) return no(refusal);
      const question = readThingShadowQuestion(payload, limits);
      if (question.kind === "refused") return no(question);
      return take(name, question, ({ shadow }) => {
        if (shadow === undefined) return refuse({ reason: "not_found", ...tokenOf(question) });
        if (question.version !== undefined && question.version !== shadow.version) {
          const versions = { received: String(question.version), expected: String(shadow.version) };
          return refuse({ reason: "version_conflict", ...versions, ...tokenOf(question) });
        }
        const deleted = formatThingShadowDeleted(shadow.version, momentOf(question));
        const told = [{ topic: `${shadowTopicOf(name)}/delete/accepted`, payload: deleted }];
        return { kind: "delete", answer: { kind: "done", payload: deleted, told } };
      });
    },
  };
}
