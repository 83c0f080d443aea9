/** Devices registered in two steps: names are looked at first, then all are made; what became of them can be asked for later. */
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import { checkNickname } from "./device-batch.ts";
import { deviceNameCheck } from "./identity-values.ts";
import type { RegistryLimits } from "./limits.ts";
import type { NewDevice, Registry } from "./registry.ts";

/** `checked`: the names are good; `refused`: some are not; `creating`: under way, also over a restart. */
export type RegistrationStatus = "checked" | "refused" | "creating" | "created" | "failed";

export interface RegistrationBatch {
  id: number;
  productKey: string;
  status: RegistrationStatus;
  devices: readonly (Required<Pick<NewDevice, "deviceName">> & Pick<NewDevice, "nickname">)[];
  /** Names that keep the batch from being made. */
  invalidNames: readonly string[];
  createdAt: number;
}

export interface RegistrationBatchStore {
  /** Keeps the newest `batchesMax`. */
  insert(batch: Omit<RegistrationBatch, "id">, batchesMax: number): Promise<RegistrationBatch>;
  find(id: number): Promise<RegistrationBatch | undefined>;
  update(id: number, change: Pick<RegistrationBatch, "status" | "invalidNames">): Promise<void>;
  /** Batches that were under way when the server ended. */
  unfinished(): Promise<RegistrationBatch[]>;
}

export interface RegistrationBatchPorts {
  registry: Pick<Registry, "getProduct" | "findDevice" | "createDevices">;
  store: RegistrationBatchStore;
  clock: Pick<Clock, "now">;
  limits: RegistryLimits;
  /** Making devices failed with nobody waiting for it. */
  onFailure(error: unknown): void;
}

/** Throws `registry.product_not_found`, `registry.invalid_batch`, `registry.registration_batch_not_found`, `registry.registration_batch_state`. */
export interface RegistrationBatches {
  check(productKey: string, devices: RegistrationBatch["devices"]): Promise<RegistrationBatch & { invalidNicknames: readonly string[] }>;
  /** Makes the devices of a checked batch; goes on behind the answer. */
  register(productKey: string, id: number): Promise<RegistrationBatch>;
  /** Devices with drawn names. */
  registerUnnamed(productKey: string, count: number): Promise<RegistrationBatch>;
  get(id: number): Promise<RegistrationBatch>;
  /** Takes up what was under way when the server ended. */
  start(): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export function createRegistrationBatches({ registry, store, clock, limits, onFailure }: RegistrationBatchPorts): RegistrationBatches {
  const running = new Set<Promise<void>>();

  async function need(id: number): Promise<RegistrationBatch> {
    const batch = await store.find(id);
    if (batch === undefined) throw new PlatformError("registry.registration_batch_not_found", { received: id });
    return batch;
  }

  function run(batch: RegistrationBatch): void {
    const task = create(batch)
      .catch(onFailure)
      .finally(() => running.delete(task));
    running.add(task);
  }

  /** All devices of a batch are made or none: one that is there says that all are. */
  async function create({ id, productKey, devices }: RegistrationBatch): Promise<void> {
    try {
      const [first] = devices;
      const isMade = first !== undefined && (await registry.findDevice(productKey, first.deviceName)) !== undefined;
      if (!isMade) await registry.createDevices(productKey, { devices: [...devices] });
      await store.update(id, { status: "created", invalidNames: [] });
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      const { deviceName } = error.details;
      await store.update(id, { status: "failed", invalidNames: deviceName === undefined ? [] : [String(deviceName)] });
    }
  }

  function checkCount(count: number): void {
    if (!Number.isInteger(count) || count < 1 || count > limits.batchDevicesMax)
      throw new PlatformError("registry.invalid_batch", { received: count, expected: limits.batchDevicesMax });
  }

  return {
    async check(productKey, devices) {
      await registry.getProduct(productKey);
      checkCount(devices.length);
      const checkDeviceName = deviceNameCheck(limits);
      const seen = new Set<string>();
      const invalidNames: string[] = [];
      const invalidNicknames: string[] = [];
      for (const { deviceName, nickname = "" } of devices) {
        const isGood = passes(() => checkDeviceName(deviceName)) && !seen.has(deviceName);
        if (!isGood || (await registry.findDevice(productKey, deviceName)) !== undefined) invalidNames.push(deviceName);
        if (!passes(() => checkNickname(nickname, limits))) invalidNicknames.push(nickname);
        seen.add(deviceName);
      }
      const status = invalidNames.length + invalidNicknames.length === 0 ? "checked" : "refused";
      const wanted = { productKey, status, devices, invalidNames, createdAt: clock.now() } as const;
      return { ...(await store.insert(wanted, limits.registrationBatchesMax)), invalidNicknames };
    },

    async register(productKey, id) {
      const batch = await need(id);
      if (batch.productKey !== productKey) throw new PlatformError("registry.registration_batch_not_found", { received: id });
      if (batch.status !== "checked")
        throw new PlatformError("registry.registration_batch_state", { received: batch.status, expected: "checked" });
      await store.update(id, { status: "creating", invalidNames: [] });
      run(batch);
      return { ...batch, status: "creating" };
    },

    async registerUnnamed(productKey, count) {
      checkCount(count);
      // Names are drawn by the registry; the batch is written when they are known.
      const devices = (await registry.createDevices(productKey, { count })).map(({ deviceName }) => ({ deviceName }));
      return store.insert(
        { productKey, status: "created", devices, invalidNames: [], createdAt: clock.now() },
        limits.registrationBatchesMax,
      );
    },

    get: need,

    async start() {
      for (const batch of await store.unfinished()) run(batch);
    },

    async close() {
      await Promise.all(running);
    },
  };
}

function passes(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof PlatformError) return false;
    throw error;
  }
}
