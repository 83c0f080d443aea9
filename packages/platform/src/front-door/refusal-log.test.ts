import { expect, test } from "vitest";
import type { NewLogEntry } from "../device-log/index.ts";
import { RefusalLog } from "./refusal-log.ts";

test("writes at most so many entries per code and minute, counts all, and says how many are missing", () => {
  const entries: NewLogEntry[] = [];
  let now = 0;
  const log = new RefusalLog({
    deviceLog: { write: (entry) => void entries.push(entry) },
    clock: { now: () => now },
    refusalsLoggedPerMinuteMax: 2,
  });
  const refuse = () =>
    log.write({ code: "front_door.unknown_protocol", remoteAddress: "192.0.2.7", details: { received: "ff", expected: "0x10" } });
  for (let count = 0; count < 5; count++) refuse();
  expect(entries).toHaveLength(2);
  log.write({ code: "front_door.tls_handshake_timeout", remoteAddress: "192.0.2.7", details: { milliseconds: 1 } });
  expect(entries).toHaveLength(3);
  now = 60_000;
  refuse();
  expect(entries[3]).toEqual({
    kind: "refuse",
    code: "front_door.unknown_protocol",
    isSuccess: false,
    remoteAddress: "192.0.2.7",
    reason: "The first bytes are no protocol spoken here: received ff, expected 0x10 (and 3 more like it not shown)",
    received: "ff",
    expected: "0x10",
  });
  expect(log.counts.get("front_door.unknown_protocol")).toBe(6);
});
