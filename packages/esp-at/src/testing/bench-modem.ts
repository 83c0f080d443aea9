/** A modem on the table of a test: faked time, no network unless one is given, and everything it says kept. */
import type { Clock } from "../clock.ts";
import { createModem, type Modem, type ModemOptions } from "../modem.ts";
import type { Network } from "../ports/network.ts";

export class FakeClock implements Clock {
  /** 25 May 2026, 09:00:00 UTC. */
  #now = Date.UTC(2026, 4, 25, 9);
  #tasks: { at: number; task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, task: () => void): () => void {
    const entry = { at: this.#now + milliseconds, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((each) => each !== entry);
    };
  }

  /** Runs what falls due, in order, and lets promises settle in between. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      await settle();
      const next = this.#tasks.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = end;
    await settle();
  }
}

/** Promise chains of commands are short. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

const noNetwork: Network = {
  open: () => Promise.reject(new Error("unplugged")),
  bind: () => Promise.reject(new Error("unplugged")),
  lookup: () => Promise.reject(new Error("unplugged")),
  ping: () => Promise.reject(new Error("unplugged")),
};

export interface BenchModem {
  modem: Modem;
  clock: FakeClock;
  /** Everything said since the last look. */
  said(): string;
  /** Says a line and gives what is answered, time passing until it is. */
  ask(line: string): Promise<string>;
  /** As `ask`; the lines that are not blank. */
  lines(line: string): Promise<string[]>;
  type(text: string): void;
}

/** Switched on and ready, echo off unless told otherwise. */
export function createBenchModem(options: Partial<ModemOptions> = {}): BenchModem {
  const clock = new FakeClock();
  let heard = Buffer.alloc(0);
  const modem = createModem({
    clock,
    network: noNetwork,
    echoes: false,
    ...options,
    output(bytes) {
      heard = Buffer.concat([heard, bytes]);
    },
  });
  const said = () => {
    const text = heard.toString("latin1");
    heard = Buffer.alloc(0);
    return text;
  };
  said();
  const ask = async (line: string) => {
    modem.write(Buffer.from(`${line}\r\n`));
    await clock.pass(0);
    for (let second = 0; modem.isBusy && !modem.isAwaitingData && second < 60; second += 1) await clock.pass(1000);
    return said();
  };
  return {
    modem,
    clock,
    said,
    ask,
    lines: async (line) => (await ask(line)).split("\r\n").filter((each) => each !== ""),
    type: (text) => modem.write(Buffer.from(text, "latin1")),
  };
}
