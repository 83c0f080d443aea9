import { expect, test } from "vitest";
import { PlatformError } from "../errors/index.ts";
import { defaultRegistryLimits } from "./limits.ts";
import { createRegistrationBatches, type RegistrationBatch } from "./registration-batches.ts";
import type { Device, DeviceBatch } from "./registry.ts";

const device = (deviceName: string): Device => ({
  iotId: deviceName,
  productKey: "pk",
  deviceName,
  deviceSecret: "s",
  nickname: "",
  status: "UNACTIVE",
  isEnabled: true,
  createdAt: 0,
  modifiedAt: 0,
});

function setUp(existing: string[] = []) {
  const made = new Set(existing);
  const rows = new Map<number, RegistrationBatch>();
  const problems: unknown[] = [];
  const batches = createRegistrationBatches({
    registry: {
      getProduct: async (productKey) => ({ productKey }) as never,
      findDevice: async (_productKey, deviceName) => (made.has(deviceName) ? device(deviceName) : undefined),
      async createDevices(_productKey, batch: DeviceBatch) {
        const names =
          "count" in batch
            ? Array.from({ length: batch.count }, (_, index) => `drawn${index}`)
            : batch.devices.map((each) => each.deviceName ?? "");
        const taken = names.find((name) => made.has(name));
        if (taken !== undefined) throw new PlatformError("registry.device_name_taken", { deviceName: taken });
        for (const name of names) made.add(name);
        return names.map(device);
      },
    },
    store: {
      async insert(batch) {
        const row = { ...batch, id: rows.size + 1 };
        rows.set(row.id, row);
        return row;
      },
      find: async (id) => rows.get(id),
      async update(id, change) {
        const row = rows.get(id);
        if (row !== undefined) rows.set(id, { ...row, ...change });
      },
      unfinished: async () => [...rows.values()].filter(({ status }) => status === "creating"),
    },
    clock: { now: () => 7 },
    limits: defaultRegistryLimits,
    onFailure: (error) => problems.push(error),
  });
  return { batches, made, rows, problems };
}

test("good names are made behind the answer, and the batch tells when", async () => {
  const { batches, made, problems } = setUp();
  const { id, status } = await batches.check("pk", [{ deviceName: "dev1" }, { deviceName: "dev2" }]);
  expect(status).toBe("checked");
  expect(await batches.register("pk", id)).toMatchObject({ status: "creating" });
  await batches.close();
  expect(await batches.get(id)).toMatchObject({ status: "created" });
  expect([...made]).toEqual(["dev1", "dev2"]);
  await expect(batches.register("pk", id)).rejects.toMatchObject({ code: "registry.registration_batch_state" });
  expect(problems).toEqual([]);
});

test("names that are taken, twice there or malformed are told, and nothing is made", async () => {
  const { batches } = setUp(["dev1"]);
  const checked = await batches.check("pk", [
    { deviceName: "dev1" },
    { deviceName: "dev2" },
    { deviceName: "dev2" },
    { deviceName: "a b!" },
  ]);
  expect(checked).toMatchObject({ status: "refused", invalidNames: ["dev1", "dev2", "a b!"] });
  await expect(batches.register("pk", checked.id)).rejects.toMatchObject({ code: "registry.registration_batch_state" });
});

test("a name taken between the two steps fails the batch and is named", async () => {
  const { batches, made } = setUp();
  const { id } = await batches.check("pk", [{ deviceName: "dev1" }, { deviceName: "dev2" }]);
  made.add("dev2");
  await batches.register("pk", id);
  await batches.close();
  expect(await batches.get(id)).toMatchObject({ status: "failed", invalidNames: ["dev2"] });
});

test.each([[true], [false]])("what was under way when the server ended is finished (devices made before: %s)", async (isMade) => {
  const { batches, made, rows } = setUp(isMade ? ["dev1"] : []);
  rows.set(1, { id: 1, productKey: "pk", status: "creating", devices: [{ deviceName: "dev1" }], invalidNames: [], createdAt: 0 });
  await batches.start();
  await batches.close();
  expect(await batches.get(1)).toMatchObject({ status: "created" });
  expect(made.has("dev1")).toBe(true);
});

test("a batch belongs to its product", async () => {
  const { batches } = setUp();
  const { id } = await batches.check("pk", [{ deviceName: "dev1" }]);
  await expect(batches.register("other", id)).rejects.toMatchObject({ code: "registry.registration_batch_not_found" });
  await expect(batches.get(99)).rejects.toMatchObject({ code: "registry.registration_batch_not_found" });
  await expect(batches.check("pk", [])).rejects.toMatchObject({ code: "registry.invalid_batch" });
});
