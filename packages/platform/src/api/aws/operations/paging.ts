/** Lists page in two ways: `maxResults` and `nextToken`, or `pageSize`, `marker` and an order (aws-iot.md, 16: N and M). */
import type { CursorPage, CursorPaged } from "../../../fleet/index.ts";
import { queryFlag, queryInteger, queryText } from "../members.ts";
import type { AwsAnswer } from "../operation.ts";

export function readPage(query: URLSearchParams): CursorPage {
  return pageOf(queryInteger(query, "maxResults", { min: 1 }), queryText(query, "nextToken"));
}

export function readMarkedPage(query: URLSearchParams): CursorPage & { isAscending?: boolean } {
  const isAscending = queryFlag(query, "isAscendingOrder");
  return {
    ...pageOf(queryInteger(query, "pageSize", { min: 1 }), queryText(query, "marker")),
    ...(isAscending === undefined ? {} : { isAscending }),
  };
}

function pageOf(maxResults: number | undefined, nextToken: string | undefined): CursorPage {
  return { ...(maxResults === undefined ? {} : { maxResults }), ...(nextToken === undefined ? {} : { nextToken }) };
}

export function answerPage<T>(member: string, { items, nextToken }: CursorPaged<T>, format: (item: T) => unknown): AwsAnswer {
  return { json: { [member]: items.map(format), ...(nextToken === undefined ? {} : { nextToken }) } };
}

export function answerMarkedPage<T>(member: string, { items, nextToken }: CursorPaged<T>, format: (item: T) => unknown): AwsAnswer {
  return { json: { [member]: items.map(format), ...(nextToken === undefined ? {} : { nextMarker: nextToken }) } };
}
