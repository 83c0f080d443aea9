/** Parameters of a call: the union of URL query and form body, decoded (reference 1.1, 1.2). */
import { PlatformError } from "../../errors/index.ts";
import type { RawApiRequest } from "../raw-request.ts";
import { percentDecode } from "./percent-encode.ts";

export type Pair = readonly [name: string, value: string];

export interface CollectedPairs {
  /** As sent in the URL, in order. */
  query: Pair[];
  /** As sent in the form body, in order. */
  form: Pair[];
}

/** Decodes query and form body. Refuses bodies that are no form, malformed encoding and too many parameters. */
export function collectPairs(request: RawApiRequest, parametersMax: number): CollectedPairs {
  const query = parsePairs(request.rawQuery, "query", parametersMax);
  if (request.body.length === 0) return { query, form: [] };
  const contentType = request.headers["content-type"];
  // A POST without a content type is taken for a form: that is all this API ever receives.
  if (contentType !== undefined && !/^application\/x-www-form-urlencoded\s*(;|$)/i.test(contentType)) {
    throw new PlatformError("alibaba.body_not_form", { received: contentType });
  }
  return { query, form: parsePairs(request.body.toString("utf8"), "form body", parametersMax - query.length) };
}

function parsePairs(text: string, source: string, pairsMax: number): Pair[] {
  if (text === "") return [];
  const parts = text.split("&", pairsMax + 2).filter((part) => part !== "");
  if (parts.length > pairsMax) throw new PlatformError("alibaba.too_many_parameters", { received: parts.length, expected: pairsMax });
  return parts.map((part) => {
    const at = part.indexOf("=");
    const name = percentDecode(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? "" : percentDecode(part.slice(at + 1));
    if (name === undefined || value === undefined) throw new PlatformError("alibaba.malformed_encoding", { received: source });
    return [name, value];
  });
}

/** One element of a repeat list: a value (`Name.1=…`) or a struct (`Tag.1.TagKey=…`). */
export type ListElement = string | Readonly<Record<string, string>>;

/** Parameters by name, whatever the case of their letters: clients differ in it (`Timeout`, `TimeOut`, `deviceName`). */
export class Parameters {
  readonly #values = new Map<string, string>();

  /** Refuses a name that came twice: it would be open which value was meant. */
  constructor(pairs: Iterable<Pair>) {
    for (const [name, value] of pairs) {
      const key = name.toLowerCase();
      if (this.#values.has(key)) throw new PlatformError("alibaba.parameter_twice", { parameter: name });
      this.#values.set(key, value);
    }
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase());
  }

  /** The repeat list `name.1`, `name.2`, … sorted by index; holes are ignored (reference 1.2). Keys of structs are in lower case. */
  list(name: string): ListElement[] {
    const prefix = `${name.toLowerCase()}.`;
    const elements = new Map<number, ListElement>();
    for (const [key, value] of this.#values) {
      if (!key.startsWith(prefix)) continue;
      const match = /^(\d{1,9})(?:\.(.+))?$/.exec(key.slice(prefix.length));
      if (match === null) continue;
      const index = Number(match[1]);
      const member = match[2];
      if (member === undefined) {
        elements.set(index, value);
        continue;
      }
      const known = elements.get(index);
      elements.set(index, typeof known === "object" ? { ...known, [member]: value } : { [member]: value });
    }
    return [...elements].sort(([left], [right]) => left - right).map(([, element]) => element);
  }
}
