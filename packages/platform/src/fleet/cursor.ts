/** Lists in pages: one row more than asked for tells whether there is another page, and where it begins. */
import { PlatformError } from "../errors/index.ts";
import type { CursorPage, CursorPaged } from "./fleet.ts";
import type { FleetLimits } from "./limits.ts";
import type { Slice } from "./ports.ts";

/** A list's own kind of place: how its tokens are told from another list's. */
export interface PlaceCodec<Place> {
  list: string;
  encode(place: Place): readonly (string | number)[];
  /** Undefined when these are no parts of such a place. */
  decode(parts: readonly unknown[]): Place | undefined;
}

/** Throws `fleet.invalid_page_size`, `fleet.invalid_token`. */
export async function readPage<Row, Place>(
  page: CursorPage,
  codec: PlaceCodec<Place>,
  limits: FleetLimits,
  read: (slice: Slice<Place>) => Promise<Row[]>,
  placeOf: (row: Row) => Place,
): Promise<CursorPaged<Row>> {
  const size = checkSize(page.maxResults, limits);
  const after = page.nextToken === undefined ? undefined : parseToken(page.nextToken, codec);
  const rows = await read({ size: size + 1, ...(after !== undefined && { after }) });
  const items = rows.slice(0, size);
  const last = items.at(-1);
  if (rows.length <= size || last === undefined) return { items };
  return { items, nextToken: formatToken(placeOf(last), codec) };
}

function checkSize(maxResults: number | undefined, { pageSizeMax }: FleetLimits): number {
  if (maxResults === undefined) return pageSizeMax;
  if (Number.isSafeInteger(maxResults) && maxResults >= 1 && maxResults <= pageSizeMax) return maxResults;
  throw new PlatformError("fleet.invalid_page_size", { received: maxResults, expected: `1 to ${pageSizeMax}` });
}

function formatToken<Place>(place: Place, codec: PlaceCodec<Place>): string {
  return Buffer.from(JSON.stringify([codec.list, ...codec.encode(place)])).toString("base64url");
}

function parseToken<Place>(token: string, codec: PlaceCodec<Place>): Place {
  const place = decodeToken(token, codec);
  if (place === undefined) throw new PlatformError("fleet.invalid_token");
  return place;
}

function decodeToken<Place>(token: string, codec: PlaceCodec<Place>): Place | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    return Array.isArray(parts) && parts[0] === codec.list ? codec.decode(parts.slice(1)) : undefined;
  } catch {
    return undefined;
  }
}

export function byName(list: string): PlaceCodec<string> {
  return {
    list,
    encode: (name) => [name],
    decode: ([name]) => (typeof name === "string" ? name : undefined),
  };
}

export function byTime(list: string): PlaceCodec<{ time: number; id: string }> {
  return {
    list,
    encode: ({ time, id }) => [time, id],
    decode: ([time, id]) => (typeof time === "number" && Number.isSafeInteger(time) && typeof id === "string" ? { time, id } : undefined),
  };
}
