/** How a shadow request is refused: code and words on the wire (AWS reference, 11.3). */

/** The vendor's words, its slip in the one for encodings included. `{name}` is that of the shadow. */
export const thingShadowRefusals = {
  not_json: { code: 400, message: "Invalid JSON" },
  state_missing: { code: 400, message: "Missing required node: state" },
  state_not_object: { code: 400, message: "State node must be an object" },
  desired_not_object: { code: 400, message: "Desired node must be an object" },
  reported_not_object: { code: 400, message: "Reported node must be an object" },
  version_invalid: { code: 400, message: "Invalid version" },
  client_token_invalid: { code: 400, message: "Invalid clientToken" },
  /** What is enforced is the limit; the number in these words is the vendor's. */
  too_deep: { code: 400, message: "JSON contains too many levels of nesting; maximum is 6" },
  node_invalid: { code: 400, message: "State contains an invalid node" },
  thing_name_invalid: { code: 400, message: "Invalid thing name" },
  shadow_name_invalid: { code: 400, message: "Invalid shadow name" },
  /** Ours: the vendor knows no such limit. */
  too_many: { code: 400, message: "Too many shadows of this thing" },
  not_found: { code: 404, message: "No shadow exists with name: '{name}'" },
  version_conflict: { code: 409, message: "Version conflict" },
  too_large: { code: 413, message: "The payload exceeds the maximum size allowed" },
  not_utf8: { code: 415, message: "Unsupported documented encoding; supported encoding is UTF-8" },
  throttled: { code: 429, message: "Too many requests" },
  storage_full: { code: 500, message: "Internal service failure" },
  failed: { code: 500, message: "Internal service failure" },
} as const;

export type ThingShadowRefusalReason = keyof typeof thingShadowRefusals;

export interface ThingShadowRefusal {
  readonly reason: ThingShadowRefusalReason;
  /** Echoed as far as it could be read. */
  readonly clientToken?: string;
  readonly received?: string;
  readonly expected?: string;
}

/** The words on the wire; the shadow's name stands in one of them. */
export function thingShadowRefusalMessage(reason: ThingShadowRefusalReason, shadow: ThingShadowName): string {
  return thingShadowRefusals[reason].message.replace("{name}", () => shadow.shadowName || shadow.thingName);
}

/** Whose shadow, and which: the empty name is the classic one's. */
export interface ThingShadowName {
  readonly thingName: string;
  readonly shadowName: string;
}

const nameCharacters = /^[a-zA-Z0-9:_-]+$/;

/** Shadow names have 64 characters at most, thing names 128 (AWS reference, 8). */
export function readThingShadowName(
  { thingName, shadowName }: ThingShadowName,
  limits: ThingShadowNameLimits,
): ThingShadowRefusal | undefined {
  if (!nameCharacters.test(thingName) || thingName.length > limits.thingNameCharactersMax) {
    return { reason: "thing_name_invalid", received: thingName, expected: nameText(limits.thingNameCharactersMax) };
  }
  if (shadowName !== "" && (!nameCharacters.test(shadowName) || shadowName.length > limits.shadowNameCharactersMax)) {
    return { reason: "shadow_name_invalid", received: shadowName, expected: nameText(limits.shadowNameCharactersMax) };
  }
  return undefined;
}

const nameText = (charactersMax: number): string => `1 to ${charactersMax} of a-z A-Z 0-9 : _ -`;

export interface ThingShadowNameLimits {
  thingNameCharactersMax: number;
  shadowNameCharactersMax: number;
}
