import { expect, test } from "vitest";
import { systemRandom } from "../clock.ts";
import { openStore } from "./store.ts";

const open = () => openStore({ dataDir: ":memory:", masterKey: systemRandom.bytes(32) });
const user = (userName: string) => ({
  userName,
  passwordHash: "scrypt$x",
  description: "",
  rights: [{ filter: "home/#", operation: "ALL" as const }],
  createdAt: 1,
  modifiedAt: 1,
});

test("MQTT users are stored, listed by name, changed and removed", async () => {
  const store = await open();
  const { mqttUsers } = store;
  expect(await mqttUsers.insert(user("bob"))).toBe("ok");
  expect(await mqttUsers.insert(user("ada"))).toBe("ok");
  expect(await mqttUsers.insert(user("ada"))).toBe("duplicate");
  expect(await mqttUsers.list({ page: 1, pageSize: 1 })).toEqual({ rows: [user("ada")], total: 2 });
  expect(await mqttUsers.update("ada", { rights: [], modifiedAt: 2 })).toBe(true);
  expect(await mqttUsers.find("ada")).toEqual({ ...user("ada"), rights: [], modifiedAt: 2 });
  expect(await mqttUsers.update("eve", { rights: [], modifiedAt: 2 })).toBe(false);
  expect([await mqttUsers.remove("ada"), await mqttUsers.remove("ada")]).toEqual([true, false]);
  expect(await mqttUsers.find("ada")).toBeUndefined();
  await store.close();
});

test("log entries of generic clients are found by client id, not those of devices", async () => {
  const store = await open();
  const entry = (id: number, more: object) => ({
    id,
    time: id,
    kind: "connect" as const,
    code: "device.connected",
    isSuccess: true,
    ...more,
  });
  await store.deviceLog.insert([
    entry(1, { clientId: "phone" }),
    entry(2, { clientId: "phone", productKey: "pk", deviceName: "dn" }),
    entry(3, { clientId: "other" }),
  ]);
  expect((await store.deviceLog.query({ clientId: "phone", limit: 10 })).map(({ id }) => id)).toEqual([1]);
  await store.close();
});
