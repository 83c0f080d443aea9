/** Java SimpleDateFormat, the part that `timestamp(fmt)` of the vendor's rules uses. Compiled once per format. */

const weekDays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

type Field = (date: Date, width: number, offsetMinutes: number) => string;

function pad(number: number, width: number): string {
  return String(number).padStart(width, "0");
}

function zone(offsetMinutes: number, separator: string): string {
  const minutes = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60), 2)}${separator}${pad(minutes % 60, 2)}`;
}

function named(names: readonly string[], index: number, width: number): string {
  const name = names[index] ?? "";
  return width >= 4 ? name : name.slice(0, 3);
}

/** The date carries the wished wall clock in its UTC fields. */
const fields: Readonly<Record<string, Field>> = {
  y: (d, w) => (w === 2 ? pad(d.getUTCFullYear() % 100, 2) : pad(d.getUTCFullYear(), w)),
  M: (d, w) => (w >= 3 ? named(months, d.getUTCMonth(), w) : pad(d.getUTCMonth() + 1, w)),
  d: (d, w) => pad(d.getUTCDate(), w),
  D: (d, w) => pad(Math.floor((d.getTime() - Date.UTC(d.getUTCFullYear(), 0, 1)) / 86_400_000) + 1, w),
  E: (d, w) => named(weekDays, d.getUTCDay(), w),
  u: (d, w) => pad(d.getUTCDay() === 0 ? 7 : d.getUTCDay(), w),
  a: (d) => (d.getUTCHours() < 12 ? "AM" : "PM"),
  H: (d, w) => pad(d.getUTCHours(), w),
  k: (d, w) => pad(d.getUTCHours() === 0 ? 24 : d.getUTCHours(), w),
  K: (d, w) => pad(d.getUTCHours() % 12, w),
  h: (d, w) => pad(d.getUTCHours() % 12 === 0 ? 12 : d.getUTCHours() % 12, w),
  m: (d, w) => pad(d.getUTCMinutes(), w),
  s: (d, w) => pad(d.getUTCSeconds(), w),
  S: (d, w) => pad(d.getUTCMilliseconds(), w),
  Z: (_d, _w, offset) => zone(offset, ""),
  X: (_d, w, offset) => (offset === 0 ? "Z" : w === 1 ? zone(offset, "").slice(0, 3) : zone(offset, w === 2 ? "" : ":")),
  z: (_d, _w, offset) => (offset === 0 ? "UTC" : `GMT${zone(offset, ":")}`),
};

/** @returns undefined for a letter outside the supported part, a run over 32 letters or an unclosed quote */
export function compileTimeFormat(format: string): ((milliseconds: number, offsetMinutes: number) => string) | undefined {
  const pieces: ((date: Date, offsetMinutes: number) => string)[] = [];
  const scanner = /''|'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/gy;
  let end = 0;
  for (let match = scanner.exec(format); match !== null; match = scanner.exec(format)) {
    end = scanner.lastIndex;
    const [whole, quoted, letter] = match;
    if (letter !== undefined) {
      const field = fields[letter];
      const width = whole.length;
      if (field === undefined || width > 32) return undefined;
      pieces.push((date, offset) => field(date, width, offset));
    } else {
      const literal = whole === "''" ? "'" : (quoted?.replaceAll("''", "'") ?? whole);
      pieces.push(() => literal);
    }
  }
  if (end !== format.length) return undefined;
  return (milliseconds, offsetMinutes) => {
    const date = new Date(milliseconds + offsetMinutes * 60_000);
    return pieces.map((piece) => piece(date, offsetMinutes)).join("");
  };
}
