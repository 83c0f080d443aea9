import { expect, test } from "vitest";
import type { StoredSubscription } from "../ports.ts";
import type { Session } from "../session/session.ts";
import { Router } from "./router.ts";

const subscription = (filter: string, more: Partial<StoredSubscription> = {}): StoredSubscription => ({
  filter,
  qos: 0,
  isNoLocal: false,
  isRetainAsPublished: false,
  retainHandling: 0,
  ...more,
});
/** Only its identity matters here. */
const session = (id: string) => ({ id }) as unknown as Session;

test("topics with the same receivers on the same terms share one set; any difference makes another", () => {
  const router = new Router({ routeCacheEntriesMax: 100 });
  const [reader, other] = [session("reader"), session("other")];
  router.add(reader, subscription("fleet/#"));
  router.add(other, subscription("fleet/3/data"));
  router.add(reader, subscription("fleet/4/data", { qos: 1 }));
  router.add(reader, subscription("fleet/5/data", { identifier: 7 }));
  router.add(reader, subscription("fleet/6/data", { isRetainAsPublished: true }));
  const usual = router.destinationsOf("fleet/1/data");
  expect(router.destinationsOf("fleet/2/data")).toBe(usual);
  for (const different of ["fleet/3/data", "fleet/4/data", "fleet/5/data", "fleet/6/data", "elsewhere"]) {
    expect(router.destinationsOf(different)).not.toBe(usual);
  }
  expect(router.destinationsOf("fleet/3/data").sessions.map((destination) => destination.session)).toEqual([reader, other]);
});

test("a set is not shared beyond a change of subscriptions", () => {
  const router = new Router({ routeCacheEntriesMax: 100 });
  const reader = session("reader");
  router.add(reader, subscription("fleet/#"));
  const before = router.destinationsOf("fleet/1/data");
  router.remove(reader, "fleet/#");
  router.add(reader, subscription("fleet/#"));
  const after = router.destinationsOf("fleet/2/data");
  expect(after).not.toBe(before);
  expect(after.version).toBe(router.version);
});
