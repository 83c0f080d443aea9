import { expect, test } from "vitest";
import { systemRandom } from "../clock.ts";
import { createMqttUsers, type MqttUserChange, type MqttUserRow, type MqttUserStore } from "./mqtt-users.ts";

function bench(limits = {}) {
  const rows = new Map<string, MqttUserRow>();
  let finds = 0;
  const store: MqttUserStore = {
    insert: async (user) => {
      if (rows.has(user.userName)) return "duplicate";
      rows.set(user.userName, user);
      return "ok";
    },
    find: async (userName) => {
      finds += 1;
      return rows.get(userName);
    },
    list: async () => ({ rows: [...rows.values()], total: rows.size }),
    update: async (userName, change) => {
      const user = rows.get(userName);
      if (user !== undefined) rows.set(userName, { ...user, ...change });
      return user !== undefined;
    },
    remove: async (userName) => rows.delete(userName),
  };
  const users = createMqttUsers({ store, clock: { now: () => 1_000 }, random: systemRandom, limits });
  const changes: MqttUserChange[] = [];
  users.onChange((change) => changes.push(change));
  return { users, rows, changes, finds: () => finds };
}

const bytes = (text: string) => Buffer.from(text);

test("a password is told once and kept as a salted hash", async () => {
  const { users, rows } = bench();
  const made = await users.create({ userName: "ada", rights: [{ filter: "home/%u/#", operation: "ALL" }] });
  expect(made.password).toMatch(/^[\w-]{24}$/);
  await users.create({ userName: "bob", password: made.password });
  const [ada, bob] = [...rows.values()].map(({ passwordHash }) => passwordHash);
  expect(ada).toMatch(/^scrypt\$16384\$8\$/);
  expect(ada).not.toBe(bob);
  expect(JSON.stringify(await users.get("ada"))).not.toContain("scrypt");
  expect(await users.verify("ada", bytes(made.password))).toMatchObject({ userName: "ada", rights: [{ filter: "home/%u/#" }] });
  expect(await users.verify("ada", bytes("wrong password"))).toBeUndefined();
  expect(await users.verify("nobody", bytes(made.password))).toBeUndefined();
  expect(await users.verify("a/b", bytes(made.password))).toBeUndefined();
});

test("what was right before is quick; a new password ends that at once", async () => {
  const { users, changes } = bench();
  const { password } = await users.create({ userName: "ada" });
  await users.verify("ada", bytes(password));
  const began = process.hrtime.bigint();
  for (let round = 0; round < 200; round += 1) await users.verify("ada", bytes(password));
  // 200 hashes take 8 s; this is far from any noise.
  expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(2_000);
  const { password: next } = await users.setPassword("ada");
  expect(await users.verify("ada", bytes(password))).toBeUndefined();
  expect(await users.verify("ada", bytes(next))).toMatchObject({ userName: "ada" });
  await users.remove("ada");
  expect(await users.verify("ada", bytes(next))).toBeUndefined();
  expect(changes.map(({ kind }) => kind)).toEqual(["password", "deleted"]);
});

test("a storm with one credential costs one hash, others beyond the waiting room are told to come again", async () => {
  const { users } = bench({ passwordChecksAtOnceMax: 1, passwordChecksWaitingMax: 1 });
  const { password } = await users.create({ userName: "ada" });
  const storm = await Promise.all(Array.from({ length: 50 }, () => users.verify("ada", bytes(password))));
  expect(storm.every((user) => user?.userName === "ada")).toBe(true);
  const answers = await Promise.allSettled(["x", "y", "z"].map((text) => users.verify("ada", bytes(text))));
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(answers[2]).toMatchObject({ reason: { code: "registry.password_checks_exceeded" } });
});

test("a user deleted while its password is being checked is not let in", async () => {
  const { users } = bench();
  const { password } = await users.create({ userName: "ada" });
  const check = users.verify("ada", bytes(password));
  await users.remove("ada");
  expect(await check).toBeUndefined();
});

test.each([
  ["registry.invalid_mqtt_user_name", { userName: "a/b" }],
  ["registry.invalid_mqtt_user_name", { userName: "" }],
  ["registry.invalid_mqtt_password", { userName: "ada", password: "short" }],
  ["registry.invalid_mqtt_rights", { userName: "ada", rights: [{ filter: "a/#/b", operation: "ALL" as const }] }],
  ["registry.invalid_description", { userName: "ada", description: "x".repeat(101) }],
])("refuses with %s", async (code, user) => {
  await expect(bench().users.create(user)).rejects.toMatchObject({ code });
});

test("names are unique and bounded in number; unknown ones are told", async () => {
  const { users } = bench({ mqttUsersMax: 1 });
  await users.create({ userName: "ada" });
  await expect(users.create({ userName: "bob" })).rejects.toMatchObject({ code: "registry.too_many_mqtt_users" });
  const { users: wide } = bench();
  await wide.create({ userName: "ada" });
  await expect(wide.create({ userName: "ada" })).rejects.toMatchObject({ code: "registry.mqtt_user_taken" });
  for (const call of [wide.get("x"), wide.update("x", { rights: [] }), wide.setPassword("x"), wide.remove("x")]) {
    await expect(call).rejects.toMatchObject({ code: "registry.mqtt_user_not_found" });
  }
});
