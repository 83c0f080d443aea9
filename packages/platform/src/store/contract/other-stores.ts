/** What every DeviceLogStore, RuleStore, TokenStore and SettingsStore must do, whatever database is behind it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LogEntry } from "../../device-log/index.ts";
import type { PendingDelivery, RuleRow } from "../../rules/index.ts";
import type { Store } from "../store.ts";

/** `open` must trim at most 3 log entries at a time. */
export function describeOtherStores(name: string, open: () => Promise<Store>): void {
  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  describe(`${name} as DeviceLogStore`, () => {
    test("gives entries back as they were put in, newest first", async () => {
      const full: LogEntry = {
        ...entry(2),
        isSuccess: false,
        topic: "/t",
        qos: 1,
        payloadBytes: 3,
        remoteAddress: "::1",
        clientId: "c",
        reason: "r",
        received: "a",
        expected: "b",
      };
      expect(await store.deviceLog.lastId()).toBe(0);
      await store.deviceLog.insert([{ id: 1, time: 10, kind: "auth", code: "access.x", isSuccess: true }, full]);
      expect(await store.deviceLog.lastId()).toBe(2);
      expect(await store.deviceLog.query({ limit: 10 })).toEqual([
        full,
        { id: 1, time: 10, kind: "auth", code: "access.x", isSuccess: true },
      ]);
    });

    test.each<[Parameters<Store["deviceLog"]["query"]>[0], number[]]>([
      [{ limit: 2 }, [6, 5]],
      [{ limit: 9, productKey: "a1", deviceName: "even" }, [6, 4, 2]],
      [{ limit: 9, isSuccess: false }, [6, 3]],
      [{ limit: 9, isSuccess: true }, [5, 4, 2, 1]],
      [{ limit: 9, kind: "publish" }, [4]],
      [{ limit: 9, code: "code.5" }, [5]],
      [{ limit: 9, since: 30, until: 40 }, [4, 3]],
      [{ limit: 2, beforeId: 4 }, [3, 2]],
      [{ limit: 9, afterId: 4 }, [6, 5]],
      [{ limit: 9, afterId: 2, deviceName: "odd", isSuccess: true }, [5]],
    ])("answers %j", async (query, ids) => {
      await store.deviceLog.insert([1, 2, 3, 4, 5, 6].map(entry));
      expect((await store.deviceLog.query(query)).map((row) => row.id)).toEqual(ids);
    });

    test("trims what is too much and what is too old, a bounded number at a time", async () => {
      await store.deviceLog.insert([1, 2, 3, 4, 5, 6, 7, 8, 9].map(entry));
      expect(await store.deviceLog.trim(5, 0)).toBe(3);
      expect(await store.deviceLog.trim(5, 0)).toBe(1);
      expect(await store.deviceLog.trim(5, 0)).toBe(0);
      expect(await store.deviceLog.trim(5, 70)).toBe(2);
      expect((await store.deviceLog.query({ limit: 9 })).map((row) => row.id)).toEqual([9, 8, 7]);
    });
  });

  describe(`${name} as RuleStore`, () => {
    test("keeps rules with their actions in order, and refuses a taken name", async () => {
      const inserted = await insertRule("one");
      expect(await store.rules.insertRule(rule("one"), [])).toBe("duplicate_name");
      expect(await store.rules.loadRules()).toEqual([inserted]);
      expect(inserted.actions.map((record) => record.action.type)).toEqual(["republish", "webhook"]);
    });

    test("updates a rule, replaces, adds and removes actions", async () => {
      const { rule: one, actions } = await insertRule("one");
      await insertRule("two");
      expect(await store.rules.updateRule({ ...one, name: "two" })).toBe("duplicate_name");
      expect(await store.rules.updateRule({ ...one, isRunning: true, sql: "SELECT 1" })).toBe("ok");
      const [replaced] = await store.rules.replaceActions(one.id, [{ type: "republish", topic: "/x" }]);
      expect(actions.map((record) => record.id)).not.toContain(replaced?.id);
      const added = await store.rules.insertAction(one.id, { type: "republish", topic: "/y" });
      await store.rules.deleteAction(replaced?.id ?? 0);
      const changed = { ...added, action: { type: "republish", topic: "/z" } as const };
      await store.rules.updateAction(changed);
      expect((await store.rules.loadRules())[0]).toEqual({ rule: { ...one, isRunning: true, sql: "SELECT 1" }, actions: [changed] });
    });

    test("keeps language, version and error action of a rule, and lets the action go", async () => {
      const errorAction = {
        type: "aws",
        action: { http: { url: "https://hooks.example.com/", headers: [{ key: "a", value: "secret" }] } },
      } as const;
      const wish = { ...rule("errors"), language: "aws", sqlVersion: "2016-03-23", errorAction } as const;
      const inserted = await store.rules.insertRule(wish, []);
      if (inserted === "duplicate_name") throw new Error("a fresh name was refused");
      expect(inserted.rule).toMatchObject(wish);
      expect(await store.rules.loadRules()).toEqual([inserted]);
      await store.rules.updateRule({ ...inserted.rule, errorAction: undefined, sqlVersion: "beta" });
      expect((await store.rules.loadRules())[0]?.rule).toEqual({ ...inserted.rule, errorAction: undefined, sqlVersion: "beta" });
    });

    test("keeps what is owed, the next due first, and forgets it with its rule", async () => {
      const { rule: one } = await insertRule("one");
      const [late, soon] = await store.rules.insertPending([pending(one.id, 50), pending(one.id, 20), pending(one.id + 1, 90)]);
      expect(await store.rules.loadPending(2)).toEqual([soon, late]);
      await store.rules.updatePending(soon?.id ?? 0, 3, 70);
      await store.rules.deletePending([late?.id ?? 0]);
      expect(await store.rules.loadPending(9)).toMatchObject([{ id: soon?.id, tries: 3, nextTryAt: 70 }, { nextTryAt: 90 }]);
      await store.rules.deleteRule(one.id);
      expect(await store.rules.loadPending(9)).toMatchObject([{ ruleId: one.id + 1 }]);
      expect(await store.rules.loadRules()).toEqual([]);
    });

    test("keeps dead letters up to the limit, the oldest go first", async () => {
      const { request, ...owed } = pending(1, 0);
      for (let time = 1; time <= 4; time++) {
        await store.rules.insertDeadLetter(
          { ruleId: 1, actionId: 2, time, topic: owed.topic, payload: owed.payload, tries: 8, code: "c", reason: "r", request },
          3,
        );
      }
      const { rows, total } = await store.rules.listDeadLetters(1, { page: 1, pageSize: 2 });
      expect(total).toBe(3);
      expect(rows.map((row) => row.time)).toEqual([4, 3]);
      expect((await store.rules.listDeadLetters(2, { page: 1, pageSize: 2 })).total).toBe(0);
      const newest = await store.rules.findDeadLetter(rows[0]?.id ?? 0);
      expect(newest).toMatchObject({ time: 4, request });
      expect(Buffer.from(newest?.payload ?? []).toString("hex")).toBe("00ff80");
      await store.rules.deleteDeadLetter(newest?.id ?? 0);
      expect(await store.rules.findDeadLetter(newest?.id ?? 0)).toBeUndefined();
    });

    async function insertRule(name: string) {
      const inserted = await store.rules.insertRule(rule(name), [
        { type: "republish", topic: "/a1/d/user/get", qos: 1 },
        { type: "webhook", url: "http://127.0.0.1/", headers: { authorization: "Bearer hidden" } },
      ]);
      if (inserted === "duplicate_name") throw new Error("a fresh name was refused");
      return inserted;
    }
  });

  describe(`${name} as TokenStore`, () => {
    const token = { tokenHash: "h1", iotId: "i", productKey: "a1", deviceName: "one", expiresAt: 100 };

    test("finds a token until it is expired or its device is gone", async () => {
      await store.tokens.insert(token);
      await store.tokens.insert({ ...token, tokenHash: "h2", expiresAt: 101 });
      await store.tokens.insert({ ...token, tokenHash: "h3", deviceName: "two", expiresAt: 200 });
      const { tokenHash: _, ...owner } = token;
      expect(await store.tokens.find("h1")).toEqual(owner);
      expect(await store.tokens.deleteExpired(100)).toBe(1);
      expect(await store.tokens.find("h1")).toBeUndefined();
      await store.registry.deleteDevice("a1", "one");
      expect(await store.tokens.find("h2")).toBeUndefined();
      await store.tokens.deleteForDevice("a1", "two");
      expect(await store.tokens.find("h3")).toBeUndefined();
    });
  });

  describe(`${name} as SettingsStore`, () => {
    test("reads what was written last, secret or not", async () => {
      expect(await store.settings.read("k")).toBeUndefined();
      await store.settings.write("k", "plain 明");
      expect(await store.settings.read("k")).toBe("plain 明");
      await store.settings.write("k", "sealed 密", { isSecret: true });
      expect(await store.settings.read("k")).toBe("sealed 密");
      await store.settings.remove("k");
      expect(await store.settings.read("k")).toBeUndefined();
    });
  });
}

function entry(id: number): LogEntry {
  return {
    id,
    time: id * 10,
    kind: id === 4 ? "publish" : "connect",
    code: `code.${id}`,
    isSuccess: id % 3 !== 0,
    productKey: "a1",
    deviceName: id % 2 === 0 ? "even" : "odd",
  };
}

function rule(name: string): Omit<RuleRow, "id"> {
  return {
    name,
    description: "d",
    language: "alibaba",
    sqlVersion: undefined,
    sql: "",
    dataType: "binary",
    isRunning: false,
    errorAction: undefined,
    createdAt: 1,
    modifiedAt: 2,
  };
}

function pending(ruleId: number, nextTryAt: number): Omit<PendingDelivery, "id"> {
  return {
    ruleId,
    actionId: 2,
    topic: "/t",
    payload: Buffer.from("00ff80", "hex"),
    request: { url: "http://127.0.0.1/", method: "POST", headers: { authorization: "Bearer hidden" }, timeoutMilliseconds: 5 },
    tries: 0,
    nextTryAt,
    createdAt: 1,
  };
}
