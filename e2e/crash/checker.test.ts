/** The checker must be able to fail: each kind of fault is planted and expected to be found. */
import { expect, test } from "vitest";
import { checkHistory } from "./checker.ts";
import { type Delivered, History } from "./history.ts";

/** Ten messages of one publisher, all acknowledged, each delivered once to one subscriber. */
function soundHistory(qos: 1 | 2 = 1): History {
  const history = new History();
  history.subscribers.set("sub", "t");
  for (let number = 1; number <= 10; number += 1) {
    const published = history.publish({ publisher: "pub", topic: "t", number, qos, isRetained: true });
    published.transmissions = 1;
    published.isAcknowledged = true;
    history.delivered.push(delivery(number, { qos }));
  }
  history.retained.set("t", 10);
  return history;
}

function delivery(number: number, change: Partial<Delivered> = {}): Delivered {
  return { subscriber: "sub", topic: "t", publisher: "pub", number, qos: 1, isDuplicate: false, connection: 1, ...change };
}

const kindsOf = (history: History) => checkHistory(history).map(({ kind }) => kind);

test("a sound history has no violation, nor has one with what QoS 1 allows", () => {
  expect(kindsOf(soundHistory())).toEqual([]);
  const repeated = soundHistory();
  repeated.delivered.push(delivery(10, { isDuplicate: true, connection: 2 }));
  expect(kindsOf(repeated)).toEqual([]);
  const resent = soundHistory();
  const last = resent.published.get("pub t 10");
  if (last !== undefined) last.transmissions = 2;
  resent.delivered.push(delivery(10));
  expect(kindsOf(resent)).toEqual([]);
  const unanswered = soundHistory();
  unanswered.publish({ publisher: "pub", topic: "t", number: 11, qos: 1, isRetained: false });
  expect(kindsOf(unanswered)).toEqual([]);
});

test.each<[string, (history: History) => void, string[], 1 | 2]>([
  ["lost", (history) => void history.delivered.splice(4, 1), ["lost"], 1],
  ["lost, QoS 2", (history) => void history.delivered.splice(4, 1), ["lost"], 2],
  ["duplicated without DUP", (history) => void history.delivered.push(delivery(10, { connection: 2 })), ["duplicated"], 1],
  ["duplicated on the same connection", (history) => void history.delivered.push(delivery(10, { isDuplicate: true })), ["duplicated"], 1],
  [
    "duplicated at QoS 2",
    (history) => void history.delivered.push(delivery(10, { qos: 2, isDuplicate: true, connection: 2 })),
    ["duplicated"],
    2,
  ],
  ["reordered", (history) => void history.delivered.splice(3, 2, delivery(5), delivery(4)), ["reordered"], 1],
  ["invented", (history) => void history.delivered.push(delivery(99)), ["unknown"], 1],
  ["a session lost", (history) => void history.reconnected.push({ client: "sub", isSessionPresent: false }), ["session_lost"], 1],
  ["an older message retained", (history) => void history.retained.set("t", 9), ["retained_wrong"], 1],
  ["nothing retained", (history) => void history.retained.delete("t"), ["retained_wrong"], 1],
])("finds what was planted: %s", (_name, plant, expected, qos) => {
  const history = soundHistory(qos);
  plant(history);
  expect(kindsOf(history)).toEqual(expected);
});
