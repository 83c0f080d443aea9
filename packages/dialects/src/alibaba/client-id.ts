/**
 * The client id `base|name=value,name=value|`. Source: alibaba-device.md, 2.1.
 *
 * The base is signed, the extension is not (but for `timestamp`). Pipes may stand inside the extension
 * (`lan=JS|Ali`), a trailing comma or a missing last pipe occur, and one SDK breaks lines between the items.
 */
import type { DialectRefusal } from "../dialect.ts";

export const alibabaClientIdLimits = {
  /** The part before the first pipe. */
  baseCharactersMax: 64,
  /** The part after it. */
  extensionCharactersMax: 1024,
  extensionItemsMax: 64,
} as const;

export interface ParsedClientId {
  kind: "clientId";
  base: string;
  hasExtension: boolean;
  /** Names as they came; of a repeated name the last value counts. No prototype: `__proto__` is a name like others. */
  parameters: Readonly<Record<string, string>>;
}

/** Reads a client id of any form; refuses one that is too long, has control characters in its base or a broken extension. */
export function parseClientId(clientId: string): ParsedClientId | DialectRefusal {
  const pipe = clientId.indexOf("|");
  const base = pipe < 0 ? clientId : clientId.slice(0, pipe);
  if (base.length > alibabaClientIdLimits.baseCharactersMax) {
    return refuse("access.client_id_too_long", `${base.length} characters before the first |`, alibabaClientIdLimits.baseCharactersMax);
  }
  if (hasControlCharacter(base)) {
    return {
      kind: "refused",
      code: "access.client_id_malformed",
      received: JSON.stringify(base),
      expected: "no control characters before the first |",
    };
  }
  const parameters: Record<string, string> = Object.create(null);
  if (pipe < 0) return { kind: "clientId", base, hasExtension: false, parameters };

  const extension = clientId.slice(pipe + 1);
  if (extension.length > alibabaClientIdLimits.extensionCharactersMax) {
    return refuse("access.client_id_too_long", `${extension.length} characters in |…|`, alibabaClientIdLimits.extensionCharactersMax);
  }
  const items = withoutLastPipe(extension).split(",");
  if (items.length > alibabaClientIdLimits.extensionItemsMax) {
    return refuse("access.client_id_malformed", `${items.length} items in |…|`, alibabaClientIdLimits.extensionItemsMax);
  }
  for (const item of items) {
    const text = item.trim();
    if (text === "") continue;
    const equals = text.indexOf("=");
    if (equals <= 0) {
      return {
        kind: "refused",
        code: "access.client_id_malformed",
        received: JSON.stringify(text),
        expected: "|name=value,name=value|",
      };
    }
    parameters[text.slice(0, equals).trimEnd()] = text.slice(equals + 1).trimStart();
  }
  return { kind: "clientId", base, hasExtension: true, parameters };
}

/** Writes a client id with its extension, items in the order given. */
export function formatClientId(base: string, parameters: readonly (readonly [name: string, value: string])[]): string {
  return `${base}|${parameters.map(([name, value]) => `${name}=${value}`).join(",")}|`;
}

/** The value of a parameter whatever the case of its name: documents and SDKs disagree on `signmethod` and `signMethod`. */
export function parameterOf(parameters: Readonly<Record<string, string>>, name: string): string | undefined {
  const exact = parameters[name];
  if (exact !== undefined) return exact;
  for (const key of Object.keys(parameters)) if (key.toLowerCase() === name) return parameters[key];
  return undefined;
}

function withoutLastPipe(extension: string): string {
  const text = extension.trimEnd();
  return text.endsWith("|") ? text.slice(0, -1) : text;
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

function refuse(code: string, received: string, most: number): DialectRefusal {
  return { kind: "refused", code, received, expected: `at most ${most}` };
}
