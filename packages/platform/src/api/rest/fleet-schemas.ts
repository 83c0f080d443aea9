/** What the routes of the fleet share: lists by cursor, and the nouns that several of them answer. */
import { Type } from "typebox";
import type { CursorPage, CursorPaged } from "../../fleet/index.ts";
import type { ApiLimits } from "../limits.ts";

export const strict = { additionalProperties: false } as const;
export const time = (description: string) => Type.String({ format: "date-time", description });

export const fleetTags = ["fleet"];

export function cursorQuery(limits: ApiLimits) {
  return {
    pageSize: Type.Integer({ minimum: 1, maximum: limits.pageSizeMax, default: limits.pageSizeDefault }),
    nextToken: Type.Optional(Type.String({ description: "Of the answer before; absent: the first page." })),
  };
}

export function cursorPageOf<S extends ReturnType<typeof Type.Object> | ReturnType<typeof Type.String>>(item: S) {
  return Type.Object({ items: Type.Array(item), nextToken: Type.Optional(Type.String({ description: "Absent at the end." })) }, strict);
}

export function toCursorPage({ pageSize, nextToken }: { pageSize: number; nextToken?: string }): CursorPage {
  return { maxResults: pageSize, ...(nextToken === undefined ? {} : { nextToken }) };
}

export function toCursorView<T, V>({ items, nextToken }: CursorPaged<T>, view: (item: T) => V): { items: V[]; nextToken?: string } {
  return { items: items.map(view), ...(nextToken === undefined ? {} : { nextToken }) };
}

export const attributesSchema = Type.Record(Type.String(), Type.String(), { description: "Names and values." });

export const attributeChange = {
  attributes: Type.Optional(attributesSchema),
  mergesAttributes: Type.Boolean({ default: false, description: "true: the others stay, and an empty value removes one." }),
};

export function toAttributeChange({ attributes, mergesAttributes }: { attributes?: Record<string, string>; mergesAttributes: boolean }) {
  return attributes === undefined ? {} : { attributes: { attributes, merge: mergesAttributes } };
}

export const expectedVersion = {
  expectedVersion: Type.Optional(Type.Integer({ minimum: 1, description: "Refused with 409 when it has another one by now." })),
};

export const thingPath = Type.Object({ thingName: Type.String() }, strict);
export const policyPath = Type.Object({ policyName: Type.String() }, strict);
export const certificatePath = Type.Object({ certificateId: Type.String() }, strict);
export const fleetGroupPath = Type.Object({ groupName: Type.String() }, strict);
