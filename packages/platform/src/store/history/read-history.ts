/** Questions to the history, each answered on the reader's connection. */
import type Database from "better-sqlite3";
import type { AggregateFunction, StoredCall, StoredEvent, StoredValue, TimePage } from "../../things/index.ts";
import { readDesired } from "./desired-values.ts";
import { type DayKind, dayOf, fromCell, listDays } from "./history-file.ts";
import type { ReadAnswers, ReadName, ReadRange, ReadRequests, StoredCell } from "./worker-messages.ts";

/** What one bucket answers, over all values or over numbers alone. */
const functions: Readonly<Record<AggregateFunction, { expression: string; isOfNumbers: boolean }>> = {
  count: { expression: "count(*)", isOfNumbers: false },
  sum: { expression: "total(value)", isOfNumbers: true },
  average: { expression: "avg(value)", isOfNumbers: true },
  minimum: { expression: "min(value)", isOfNumbers: true },
  maximum: { expression: "max(value)", isOfNumbers: true },
  // The value of the row that min or max stops at.
  first: { expression: "value, min(time)", isOfNumbers: false },
  last: { expression: "value, max(time)", isOfNumbers: false },
};

const ascendingCursor = { property: "time > ?", event: "(time, sequence) > (?, ?)", call: "(time, sequence) > (?, ?)" };
const descendingCursor = { property: "time < ?", event: "(time, sequence) < (?, ?)", call: "(time, sequence) < (?, ?)" };

interface PageQuery {
  kind: DayKind;
  columns: string;
  /** SQL with `?` for each of `values`. */
  where: readonly string[];
  values: readonly unknown[];
  range: ReadRange;
}

export function createReads(database: Database.Database): { [Name in ReadName]: (request: ReadRequests[Name]) => ReadAnswers[Name] } {
  const findDevice = database.prepare<[string], number>("select id from device where iot_id = ?").pluck();
  const findSeries = database
    .prepare<[string, string], number>("select s.id from series s join device d on d.id = s.device where d.iot_id = ? and s.identifier = ?")
    .pluck();
  const currentOf = database.prepare<[number], { identifier: string; time: number; value: StoredCell }>(
    "select identifier, time, value from series where device = ? and time is not null",
  );

  /** Existing days of a range in its order. */
  function daysOf(kind: DayKind, from: number, to: number, isAscending: boolean): number[] {
    const days = listDays(database, kind).filter((day) => day >= dayOf(from) && day <= dayOf(to));
    return isAscending ? days : days.reverse();
  }

  /** Rows day by day until the page is full; one more tells that there is more. */
  function page<Row extends { time: number; sequence?: number }>({ kind, columns, where, values, range }: PageQuery): TimePage<Row> {
    const { from, to, isAscending = false, entriesMax, cursor } = range;
    const conditions = [...where, "time between ? and ?"];
    const parameters: unknown[] = [...values, from, to];
    if (cursor !== undefined) {
      conditions.push((isAscending ? ascendingCursor : descendingCursor)[kind]);
      parameters.push(...cursor);
    }
    const direction = isAscending ? "asc" : "desc";
    const order = kind === "property" ? `time ${direction}` : `time ${direction}, sequence ${direction}`;
    const items: Row[] = [];
    for (const day of daysOf(kind, from, to, isAscending)) {
      const isBefore = cursor !== undefined && (isAscending ? day < dayOf(cursor[0] ?? 0) : day > dayOf(cursor[0] ?? 0));
      if (isBefore) continue;
      const sql = `select ${columns} from ${kind}_${day} where ${conditions.join(" and ")} order by ${order} limit ?`;
      items.push(...database.prepare<unknown[], Row>(sql).all(...parameters, entriesMax + 1 - items.length));
      if (items.length > entriesMax) break;
    }
    if (items.length <= entriesMax) return { items };
    items.pop();
    const last = items[items.length - 1];
    return { items, ...(last === undefined ? {} : { cursor: kind === "property" ? `${last.time}` : `${last.time}.${last.sequence}` }) };
  }

  return {
    currentValues({ iotId }) {
      const device = findDevice.get(iotId);
      const rows = device === undefined ? [] : currentOf.all(device);
      return Object.fromEntries(
        rows.map(({ identifier, time, value }): [string, StoredValue] => [identifier, { value: fromCell(value), time }]),
      );
    },

    desired({ iotId }) {
      const device = findDevice.get(iotId);
      return device === undefined ? {} : readDesired(database, device);
    },

    values({ iotId, identifier, range }) {
      const series = findSeries.get(iotId, identifier);
      if (series === undefined) return { items: [] };
      const found = page<{ time: number; value: StoredCell }>({
        kind: "property",
        columns: "time, value",
        where: ["series = ?"],
        values: [series],
        range,
      });
      return { ...found, items: found.items.map(({ time, value }) => ({ value: fromCell(value), time })) };
    },

    aggregate({ iotId, identifier, query, visibleFrom }) {
      const series = findSeries.get(iotId, identifier);
      const { from, to, bucketMilliseconds } = query;
      const begin = Math.max(from, visibleFrom);
      const days = series === undefined ? [] : daysOf("property", begin, to, true);
      if (days.length === 0) return [];
      const { expression, isOfNumbers } = functions[query.function];
      const source = days
        .map((day) => `select time, value from property_${day} where series = :series and time between :begin and :to`)
        .join(" union all ");
      const numbers = isOfNumbers ? "where typeof(value) in ('integer', 'real')" : "";
      const rows = database
        .prepare<object, { bucket: number; count: number; value: StoredCell }>(
          `select (time - cast(:from as integer)) / cast(:bucket as integer) as bucket, count(*) as count, ${expression.replace(/^[^,]+/, (first) => `${first} as value`)} from (${source}) ${numbers} group by bucket order by bucket`,
        )
        .all({ series, begin, from, to, bucket: bucketMilliseconds });
      return rows.map(({ bucket, count, value }) => ({ time: from + bucket * bucketMilliseconds, value: fromCell(value), count }));
    },

    events({ iotId, filter, range }) {
      const device = findDevice.get(iotId);
      if (device === undefined) return { items: [] };
      const { where, values } = filtered(device, filter);
      const found = page<{ time: number; sequence: number; identifier: string; type: string; value: StoredCell }>({
        kind: "event",
        columns: "time, sequence, identifier, type, value",
        where,
        values,
        range,
      });
      return {
        ...found,
        items: found.items.map(
          ({ time, identifier, type, value }): Omit<StoredEvent, "name"> => ({ identifier, type, value: fromCell(value), time }),
        ),
      };
    },

    calls({ iotId, filter, range }) {
      const device = findDevice.get(iotId);
      if (device === undefined) return { items: [] };
      const { where, values } = filtered(device, filter);
      const found = page<CallRow>({
        kind: "call",
        columns: "time, sequence, identifier, input, answered_at, code, output",
        where,
        values,
        range,
      });
      return { ...found, items: found.items.map(toCall) };
    },
  };
}

interface CallRow {
  time: number;
  sequence: number;
  identifier: string;
  input: StoredCell;
  answered_at: number | null;
  code: number | null;
  output: StoredCell | null;
}

function toCall({ time, identifier, input, answered_at, code, output }: CallRow): Omit<StoredCall, "name"> {
  return {
    identifier,
    time,
    input: fromCell(input),
    ...(answered_at === null ? {} : { answeredAt: answered_at }),
    ...(code === null ? {} : { code }),
    ...(output === null ? {} : { output: fromCell(output) }),
  };
}

function filtered(device: number, filter: { identifier?: string; type?: string }): { where: string[]; values: unknown[] } {
  const where = ["device = ?"];
  const values: unknown[] = [device];
  for (const name of ["identifier", "type"] as const) {
    if (filter[name] === undefined) continue;
    where.push(`${name} = ?`);
    values.push(filter[name]);
  }
  return { where, values };
}
