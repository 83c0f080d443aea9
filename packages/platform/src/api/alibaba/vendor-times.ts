/** The vendor's ways of writing a time (reference 1.5). Input is milliseconds since the epoch; an absent time is an empty text. */

const chinaOffsetMilliseconds = 8 * 3_600_000;
const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `2019-02-20 10:16:09` in UTC+8. */
export function formatGmt(time: number | undefined): string {
  if (time === undefined) return "";
  return new Date(time + chinaOffsetMilliseconds).toISOString().slice(0, 19).replace("T", " ");
}

/** `Wed, 20-Feb-2019 02:16:09 GMT`. */
export function formatGmtDashed(time: number | undefined): string {
  if (time === undefined) return "";
  const date = new Date(time);
  const day = `${String(date.getUTCDate()).padStart(2, "0")}-${months[date.getUTCMonth()]}-${date.getUTCFullYear()}`;
  return `${weekdays[date.getUTCDay()]}, ${day} ${date.toISOString().slice(11, 19)} GMT`;
}

/** `2019-02-20T02:16:09.000Z`. */
export function formatUtc(time: number | undefined): string {
  return time === undefined ? "" : new Date(time).toISOString();
}

/** `Mon Dec 23 10:32:06 CST 2019` in UTC+8. */
export function formatJavaDate(time: number): string {
  const date = new Date(time + chinaOffsetMilliseconds);
  const day = String(date.getUTCDate()).padStart(2, "0");
  return `${weekdays[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${date.toISOString().slice(11, 19)} CST ${date.getUTCFullYear()}`;
}
