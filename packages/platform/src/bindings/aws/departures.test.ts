import type { ConnectionFacts } from "@thingstead/mqtt";
import { expect, test } from "vitest";
import type { ThingClientSubject } from "../../access/index.ts";
import { createFakeClock } from "../../fake-clock.ts";
import { createAwsDepartures, defaultAwsDepartureLimits } from "./departures.ts";

const facts: ConnectionFacts = { remoteAddress: "127.0.0.1", remotePort: 1, localPort: 2, carrier: "tcp" };

function clientOf(clientId: string): ThingClientSubject {
  const principal = { kind: "certificate", id: "c1" } as const;
  return { kind: "thing-client", dialect: "aws", clientId, principal, connectionId: "u", remoteAddress: "127.0.0.1" };
}

function open(limits = {}) {
  const clock = createFakeClock(1_700_000_000_000);
  const departures = createAwsDepartures({ clock, limits: { ...defaultAwsDepartureLimits, ...limits } });
  const leave = (subject: unknown, code?: string) =>
    departures.disconnected?.({
      sessionId: "s",
      subject,
      facts,
      reason: code === undefined ? "client_disconnect" : "kicked",
      lastPacketAt: 0,
      ...(code === undefined ? {} : { refusal: { code } }),
    });
  return { clock, departures, leave };
}

test("15.1 who went is known for half an hour, with the reason; who is back is not away", async () => {
  const { clock, departures, leave } = open();
  leave({ ...clientOf("a"), device: { productKey: "aws", deviceName: "lamp", iotId: "i", isExclusive: false } });
  leave(clientOf("b"), "aws.connection_deleted");
  leave({ kind: "client", dialect: "plain", clientId: "c" });
  expect(departures.of("a")).toEqual({ at: 1_700_000_000_000, reason: "CLIENT_INITIATED_DISCONNECT", thingName: "lamp" });
  expect(departures.of("b")?.reason).toBe("API_INITIATED_DISCONNECT");
  expect(departures.of("c")).toBeUndefined();
  const connected = { sessionId: "s", facts, clientId: "b", protocolVersion: 4 as const, keepAliveSeconds: 1, isSessionPresent: false };
  departures.connected?.({ ...connected, subject: clientOf("b") });
  expect(departures.of("b")).toBeUndefined();
  await clock.pass(30 * 60_000);
  expect(departures.of("a")).toBeDefined();
  await clock.pass(1);
  expect(departures.of("a")).toBeUndefined();
});

test("of too many the first are forgotten", () => {
  const { departures, leave } = open({ departuresMax: 2 });
  for (const id of ["a", "b", "a", "c"]) leave(clientOf(id));
  expect(["a", "b", "c"].map((id) => departures.of(id) !== undefined)).toEqual([true, false, true]);
});
