/**
 * Time patterns of the AWS rule SQL [aws-iot 14.3]: `parse_time` writes by Joda-Time's letters, `time_to_epoch` reads by those of java.time.
 * Both are compiled with the rule. Names of months and days are English ones.
 */
import { linearRegExp } from "./linear-regexp.ts";

const weekDays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const dayMilliseconds = 86_400_000;

interface Piece {
  literal: string;
  /** Absent: only text. */
  letter?: string;
  width: number;
}

/** @returns undefined for a quote that is not closed or a letter that is not known */
function splitPattern(pattern: string, letters: RegExp): Piece[] | undefined {
  const pieces: Piece[] = [];
  const scanner = /''|'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/gy;
  let end = 0;
  for (let match = scanner.exec(pattern); match !== null; match = scanner.exec(pattern)) {
    end = scanner.lastIndex;
    const [whole, quoted, letter] = match;
    if (letter === undefined) {
      pieces.push({ literal: whole === "''" ? "'" : (quoted?.replaceAll("''", "'") ?? whole), width: 0 });
    } else if (letters.test(letter) && whole.length <= 32) {
      pieces.push({ literal: "", letter, width: whole.length });
    } else return undefined;
  }
  return end === pattern.length ? pieces : undefined;
}

function pad(number: number, width: number): string {
  return number < 0 ? `-${pad(-number, width)}` : String(number).padStart(width, "0");
}

const zoneFormats = new Map<string, Intl.DateTimeFormat | undefined>();
const zoneFormatsMax = 200;

function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  if (zoneFormats.has(zone)) return zoneFormats.get(zone);
  let format: Intl.DateTimeFormat | undefined;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    format = undefined;
  }
  if (zoneFormats.size >= zoneFormatsMax) zoneFormats.clear();
  zoneFormats.set(zone, format);
  return format;
}

const fixedZone = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?$/;

/** Milliseconds east of UTC at that moment; undefined for a zone that is not known. */
function offsetOf(zone: string, milliseconds: number): number | undefined {
  if (/^(?:UTC|GMT|UT|Z)$/i.test(zone)) return 0;
  const fixed = fixedZone.exec(zone);
  if (fixed !== null) {
    const [, sign, hours, minutes = "0", seconds = "0"] = fixed;
    return (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  }
  const format = zoneFormat(zone);
  if (format === undefined) return undefined;
  const parts = Object.fromEntries(format.formatToParts(milliseconds).map(({ type, value }) => [type, value]));
  const year = parts.era === "BC" ? 1 - Number(parts.year) : Number(parts.year);
  const wall = utc(year, Number(parts.month) - 1, Number(parts.day), Number(parts.hour), Number(parts.minute), Number(parts.second), 0);
  return wall - Math.floor(milliseconds / 1000) * 1000;
}

/** Date.UTC takes the years 0 to 99 for 1900 to 1999. */
function utc(year: number, month: number, day: number, hour: number, minute: number, second: number, millisecond: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date.setUTCHours(hour, minute, second, millisecond);
}

function zoneName(zone: string, milliseconds: number, isLong: boolean): string {
  if (fixedZone.test(zone)) return zone;
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: isLong ? "long" : "short" });
  return format.formatToParts(milliseconds).find(({ type }) => type === "timeZoneName")?.value ?? zone;
}

function formatOffset(offset: number, separator: string): string {
  const minutes = Math.abs(Math.trunc(offset / 60_000));
  return `${offset < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60), 2)}${separator}${pad(minutes % 60, 2)}`;
}

/** Monday is 1 [ISO 8601]. */
function weekDayOf(date: Date): number {
  return ((date.getUTCDay() + 6) % 7) + 1;
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - utc(date.getUTCFullYear(), 0, 1, 0, 0, 0, 0)) / dayMilliseconds) + 1;
}

/** The week belongs to the year of its Thursday. */
function weekOf(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getTime() + (4 - weekDayOf(date)) * dayMilliseconds);
  return { year: thursday.getUTCFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 };
}

function yearText(year: number, width: number): string {
  return width === 2 ? pad(Math.abs(year) % 100, 2) : pad(year, width);
}

function named(names: readonly string[], index: number, width: number): string {
  const name = names[index] ?? "";
  return width >= 4 ? name : name.slice(0, 3);
}

interface Moment {
  /** The wall clock in its UTC fields. */
  date: Date;
  offset: number;
  milliseconds: number;
  zone: string;
}

const fields: Readonly<Record<string, (moment: Moment, width: number) => string>> = {
  G: ({ date }) => (date.getUTCFullYear() > 0 ? "AD" : "BC"),
  C: ({ date }, w) => pad(Math.floor(Math.abs(date.getUTCFullYear()) / 100), w),
  Y: ({ date }, w) => yearText(date.getUTCFullYear() > 0 ? date.getUTCFullYear() : 1 - date.getUTCFullYear(), w),
  x: ({ date }, w) => yearText(weekOf(date).year, w),
  w: ({ date }, w) => pad(weekOf(date).week, w),
  e: ({ date }, w) => pad(weekDayOf(date), w),
  E: ({ date }, w) => named(weekDays, weekDayOf(date) - 1, w),
  y: ({ date }, w) => yearText(date.getUTCFullYear(), w),
  D: ({ date }, w) => pad(dayOfYear(date), w),
  M: ({ date }, w) => (w >= 3 ? named(months, date.getUTCMonth(), w) : pad(date.getUTCMonth() + 1, w)),
  d: ({ date }, w) => pad(date.getUTCDate(), w),
  a: ({ date }) => (date.getUTCHours() < 12 ? "AM" : "PM"),
  K: ({ date }, w) => pad(date.getUTCHours() % 12, w),
  h: ({ date }, w) => pad(((date.getUTCHours() + 11) % 12) + 1, w),
  H: ({ date }, w) => pad(date.getUTCHours(), w),
  k: ({ date }, w) => pad(((date.getUTCHours() + 23) % 24) + 1, w),
  m: ({ date }, w) => pad(date.getUTCMinutes(), w),
  s: ({ date }, w) => pad(date.getUTCSeconds(), w),
  // A fraction of the second, not a number of milliseconds.
  S: ({ date }, w) => pad(date.getUTCMilliseconds(), 3).padEnd(w, "0").slice(0, w),
  z: ({ milliseconds, zone }, w) => zoneName(zone, milliseconds, w >= 4),
  Z: ({ offset, zone }, w) => (w === 1 ? formatOffset(offset, "") : w === 2 ? formatOffset(offset, ":") : zone),
};

/** `undefined` of the compiled format: the time or the zone is none. */
export function compileJodaFormat(pattern: string): ((milliseconds: number, zone: string) => string | undefined) | undefined {
  const pieces = splitPattern(pattern, /[GCYxweEyDMdaKhHkmsSzZ]/);
  if (pieces === undefined) return undefined;
  const parts = pieces.map(({ literal, letter, width }) => {
    const field = letter === undefined ? undefined : fields[letter];
    return field === undefined ? () => literal : (moment: Moment) => field(moment, width);
  });
  return (time, zone) => {
    const milliseconds = Math.trunc(time);
    if (Math.abs(milliseconds) > 8.64e15 - dayMilliseconds) return undefined;
    const offset = offsetOf(zone, milliseconds);
    if (offset === undefined) return undefined;
    const moment = { date: new Date(milliseconds + offset), offset, milliseconds, zone };
    return parts.map((part) => part(moment)).join("");
  };
}

/** What was read so far. */
interface Reading {
  era: number;
  year: number;
  month: number;
  day: number;
  dayOfYear?: number;
  hour: number;
  /** Of a half day. */
  halfHour?: number;
  isAfternoon: boolean;
  minute: number;
  second: number;
  millisecond: number;
  zone: string;
}

type Reader = [pattern: string, take: (reading: Reading, text: string) => void];

function number(width: number, digitsMax: number, isNext: boolean): string {
  // A number that another follows without anything between has exactly the digits of its letters.
  return isNext ? `\\d{${width}}` : `\\d{1,${Math.max(width, digitsMax)}}`;
}

function nameIn(names: readonly string[], text: string): number {
  return names.findIndex((name) => name.toLowerCase().startsWith(text.toLowerCase().slice(0, 3)));
}

const zonePattern = "Z|[+-]\\d{2}(?::?\\d{2})?|[A-Za-z][A-Za-z_]*(?:/[A-Za-z_+-]+)*(?:[+-]\\d{1,2}(?::?\\d{2})?)?";

const readers: Readonly<Record<string, (width: number, isNext: boolean) => Reader>> = {
  G: () => ["AD|BC|CE|BCE|Anno Domini|Before Christ", (r, text) => (r.era = /^b/i.test(text) ? 0 : 1)],
  y: yearReader,
  u: yearReader,
  M: (w, isNext) =>
    w < 3
      ? [number(w, 2, isNext), (r, text) => (r.month = Number(text))]
      : [months.flatMap((name) => [name, name.slice(0, 3)]).join("|"), (r, text) => (r.month = nameIn(months, text) + 1)],
  d: (w, isNext) => [number(w, 2, isNext), (r, text) => (r.day = Number(text))],
  D: (w, isNext) => [number(w, 3, isNext), (r, text) => (r.dayOfYear = Number(text))],
  E: () => [weekDays.flatMap((name) => [name, name.slice(0, 3)]).join("|"), () => undefined],
  a: () => ["AM|PM", (r, text) => (r.isAfternoon = /^p/i.test(text))],
  H: (w, isNext) => [number(w, 2, isNext), (r, text) => (r.hour = Number(text))],
  k: (w, isNext) => [number(w, 2, isNext), (r, text) => (r.hour = Number(text) % 24)],
  h: (w, isNext) => [number(w, 2, isNext), (r, text) => (r.halfHour = Number(text) % 12)],
  K: (w, isNext) => [number(w, 2, isNext), (r, text) => (r.halfHour = Number(text))],
  m: (w, isNext) => [number(w, 2, isNext), (r, text) => (r.minute = Number(text))],
  s: (w, isNext) => [number(w, 2, isNext), (r, text) => (r.second = Number(text))],
  S: (w, isNext) => [
    isNext ? `\\d{${w}}` : `\\d{1,${Math.max(w, 9)}}`,
    (r, text) => (r.millisecond = Number(text.padEnd(3, "0").slice(0, 3))),
  ],
  z: zoneReader,
  V: zoneReader,
  Z: zoneReader,
  X: zoneReader,
  x: zoneReader,
};

function yearReader(width: number, isNext: boolean): Reader {
  if (width === 2) return ["\\d{2}", (r, text) => (r.year = 2000 + Number(text))];
  return [isNext ? `\\d{${width}}` : "-?\\d{1,9}", (r, text) => (r.year = Number(text))];
}

function zoneReader(): Reader {
  return [zonePattern, (r, text) => (r.zone = text)];
}

function isPlausible({ month, day, hour, minute, second, dayOfYear: ofYear = 1 }: Reading): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 24 && minute <= 59 && second <= 59 && ofYear >= 1 && ofYear <= 366;
}

/** `undefined` of the compiled reader: the text does not fit the pattern, or there is no such day. */
export function compileJodaParser(pattern: string): ((text: string) => number | undefined) | undefined {
  const pieces = splitPattern(pattern, /[GyuMdDEahHkKmsSzZVXx]/);
  if (pieces === undefined) return undefined;
  const takes: Reader[1][] = [];
  const source = pieces.map(({ literal, letter, width }, index) => {
    const reader = letter === undefined ? undefined : readers[letter]?.(width, pieces[index + 1]?.letter !== undefined);
    if (reader === undefined) return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
    takes.push(reader[1]);
    return `(${reader[0]})`;
  });
  const expression = linearRegExp(`^${source.join("")}$`, "");
  const textCharactersMax = 200;
  return (text) => {
    const match = text.length > textCharactersMax ? null : expression.exec(text);
    if (match === null) return undefined;
    const reading: Reading = {
      era: 1,
      year: 1970,
      month: 1,
      day: 1,
      hour: 0,
      isAfternoon: false,
      minute: 0,
      second: 0,
      millisecond: 0,
      zone: "UTC",
    };
    for (const [index, take] of takes.entries()) take(reading, match[index + 1] ?? "");
    return isPlausible(reading) ? momentOf(reading) : undefined;
  };
}

function momentOf(reading: Reading): number | undefined {
  const { era, month, day, dayOfYear: ofYear, halfHour, isAfternoon, minute, second, millisecond, zone } = reading;
  const year = era === 0 ? 1 - reading.year : reading.year;
  const hour = halfHour === undefined ? reading.hour : halfHour + (isAfternoon ? 12 : 0);
  const wall =
    ofYear === undefined
      ? utc(year, month - 1, day, hour, minute, second, millisecond)
      : utc(year, 0, 1, hour, minute, second, millisecond) + (ofYear - 1) * dayMilliseconds;
  if (!Number.isFinite(wall)) return undefined;
  if (ofYear === undefined && hour < 24 && new Date(wall).getUTCDate() !== day) return undefined;
  // The offset at the wall clock taken for UTC may be the one before a change: asked again at the moment found.
  const guess = offsetOf(zone, wall);
  const offset = guess === undefined ? undefined : offsetOf(zone, wall - guess);
  return offset === undefined ? undefined : wall - offset;
}
