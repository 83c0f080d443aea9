import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultModemLimits } from "../limits.ts";
import { FakeClock } from "../testing/bench-modem.ts";
import { InputMachine } from "./input-machine.ts";

function create() {
  const seen: string[] = [];
  const clock = new FakeClock();
  const state = { isBusy: false };
  let echoed = "";
  const machine = new InputMachine(
    {
      isBusy: () => state.isBusy,
      echo: (bytes) => {
        echoed += bytes.toString("latin1");
      },
      line: (line) => seen.push(line.toString("latin1")),
      lineTooLong: () => seen.push("(too long)"),
      refused: () => seen.push("(refused)"),
    },
    clock,
    defaultModemLimits,
  );
  return { machine, seen, clock, state, echoed: () => echoed, push: (text: string) => machine.push(Buffer.from(text, "latin1")) };
}

test("[ESP-AT 1.1] only CR LF ends a line; an empty one is nothing", () => {
  const { push, seen, echoed } = create();
  push("AT\r\n\r\nAT\nE0\rx\r\n");
  expect(seen).toEqual(["AT", "AT\nE0\rx"]);
  expect(echoed()).toBe("AT\r\n\r\nAT\nE0\rx\r\n");
});

test("[ESP-AT 1.1] 256 bytes fit, 257 do not, and the next line is taken again", () => {
  const { push, seen } = create();
  push(`${"x".repeat(256)}\r\n${"y".repeat(257)}\r\n${"z".repeat(100_000)}\r\nAT\r\n`);
  expect(seen).toEqual(["x".repeat(256), "(too long)", "(too long)", "AT"]);
});

test("[ESP-AT 1.1] a line of which a part came while a command ran is refused, and not echoed while it ran", () => {
  const { push, seen, state, echoed } = create();
  state.isBusy = true;
  push("AT+");
  state.isBusy = false;
  push("GMR\r\nAT\r\n");
  expect(seen).toEqual(["(refused)", "AT"]);
  expect(echoed()).toBe("GMR\r\nAT\r\n");
});

test("lines, prompts and all come out the same however the bytes are cut", () => {
  const play = (cuts: readonly string[]) => {
    const { machine, seen, push } = create();
    machine.expect(5, (bytes) => {
      seen.push(`raw ${bytes.toString("latin1")}`);
      machine.expectEscaped(100, (escaped) => seen.push(`escaped ${escaped.toString("latin1")}`));
    });
    for (const cut of cuts) push(cut);
    return seen;
  };
  const text = "\r\nAT\0one\\\\0two\\three\\0AT+GMR\r\nAT\r\n";
  const whole = play([text]);
  expect(whole).toEqual(["raw \r\nAT\0", "escaped one\\0two\\three", "AT+GMR", "AT"]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(text.length), { maxLength: text.length }), (places) => {
      const marks = [0, ...places.sort((a, b) => a - b), text.length];
      expect(play(marks.slice(1).map((end, index) => text.slice(marks[index], end)))).toEqual(whole);
    }),
  );
});

test("[ESP-AT 6.3] CIPSENDEX ends at its length, too", () => {
  const { machine, seen, push } = create();
  machine.expectEscaped(4, (bytes) => seen.push(bytes.toString()));
  push("abcdAT\r\n");
  expect(seen).toEqual(["abcd", "AT"]);
});

test("[ESP-AT 6.3] +++ leaves passthrough only with silence around it", async () => {
  const { machine, seen, push, clock } = create();
  machine.passThrough(
    (bytes) => seen.push(bytes.toString()),
    () => seen.push("(left)"),
  );
  push("data");
  push("+++");
  await clock.pass(100);
  push("+++");
  await clock.pass(5);
  push("more");
  await clock.pass(100);
  push("++++");
  await clock.pass(100);
  expect(seen).toEqual(["data", "+++", "+++more", "++++"]);
  push("+++");
  await clock.pass(100);
  push("AT\r\n");
  expect(seen.slice(4)).toEqual(["(left)", "AT"]);
});
