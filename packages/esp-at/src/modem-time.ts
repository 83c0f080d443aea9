/** The modem's own clock: 1970 at power-on, right once a time server told it. [ESP-AT 6.1] */
import type { Clock } from "./clock.ts";

export class ModemTime {
  readonly #clock: Clock;
  /** Host's clock minus ours. */
  #offsetMilliseconds: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMilliseconds = clock.now();
  }

  /** Milliseconds since the epoch, or since power-on before the time is known. */
  now(): number {
    return this.#clock.now() - this.#offsetMilliseconds;
  }

  set(milliseconds: number): void {
    this.#offsetMilliseconds = this.#clock.now() - milliseconds;
  }
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** C's asctime without the line break: the day takes two columns. */
export function formatAsctime(milliseconds: number, zoneMinutes: number): string {
  const date = new Date(milliseconds + zoneMinutes * 60_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const day = String(date.getUTCDate()).padStart(2, " ");
  return `${weekdays[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${time} ${date.getUTCFullYear()}`;
}

/** Hours from -12 to 14, or `hhmm` with the hours in those bounds; undefined when it is neither. */
export function zoneMinutesOf(zone: number): number | undefined {
  if (zone >= -12 && zone <= 14) return zone * 60;
  const hours = Math.trunc(zone / 100);
  const minutes = Math.abs(zone % 100);
  if (hours < -12 || hours > 14 || minutes > 59) return undefined;
  return hours * 60 + Math.sign(zone) * minutes;
}
