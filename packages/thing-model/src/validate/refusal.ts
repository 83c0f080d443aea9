/** What a check says when a value is wrong. */
import { describe, type ThingModelErrorCode, type ThingModelProblem } from "../errors.ts";

/** One way to be wrong, made when the model is compiled, so that refusing a value builds nothing but the path. */
export interface RefusalKind {
  readonly code: ThingModelErrorCode;
  /** The vendor's code [alibaba-device 5.11]. */
  readonly alibaba: number;
  /** The vendor's words, without what they are about. */
  readonly words: string;
  readonly expected: string;
}

/** A refused value and where it was, from the inside out. */
export interface Refusal {
  readonly kind: RefusalKind;
  readonly received: unknown;
  readonly path: (string | number)[];
}

/** Undefined when the value is right. */
export type Check = (value: unknown) => Refusal | undefined;

export function refuse(kind: RefusalKind, received: unknown): Refusal {
  return { kind, received, path: [] };
}

/** A name of the wire in a text of ours. Names of a model are shorter; what a stranger sends may be as long as a message. */
const shownCharactersMax = 128;

function shown(name: string): string {
  return name.length <= shownCharactersMax ? name : `${name.slice(0, shownCharactersMax)}…`;
}

/** The refusal, one level further out. */
export function within(refusal: Refusal, step: string | number): Refusal {
  refusal.path.push(step);
  return refusal;
}

/** The message that rules and devices see, `tsl parse: params not exist -> attribute_8` [alibaba-server 2.6]. */
export function vendorMessage({ kind, path }: Refusal): string {
  // 5092 is the one that comes without the prefix and the name, as rules of live products received it.
  if (kind.alibaba === 5092) return kind.words;
  const name = path.find((step) => typeof step === "string");
  return name === undefined ? `tsl parse: ${kind.words}` : `tsl parse: ${kind.words} -> ${shown(name)}`;
}

export function problemOf({ kind, path, received }: Refusal): ThingModelProblem {
  let text = "";
  for (let i = path.length - 1; i >= 0; i--) {
    const step = path[i];
    if (typeof step === "number") text += `[${step}]`;
    else if (step !== undefined) text += text === "" ? shown(step) : `.${shown(step)}`;
  }
  return { code: kind.code, path: text, received: received === undefined ? "" : describe(received), expected: kind.expected };
}
