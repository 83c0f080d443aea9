/** The store's door: one SQLite file under the data directory, and behind it the ports of the rooms. */
import { Kysely } from "kysely";
import type { DeviceCertificateStore, DeviceTokenStore, TokenStore } from "../access/index.ts";
import { type Clock, type Random, systemClock, systemRandom } from "../clock.ts";
import type { DeviceLogStore } from "../device-log/index.ts";
import type {
  ConfigStore,
  DeviceFileStore,
  DeviceLineStore,
  DiagnosticStore,
  FleetJobStore,
  JobStore,
  NamedShadowStore,
  ShadowStore,
} from "../device-services/index.ts";
import { PlatformError } from "../errors/index.ts";
import type { FleetStore } from "../fleet/index.ts";
import type { OtaStore } from "../ota/index.ts";
import type { GroupStore, MqttUserStore, RegistrationBatchStore, RegistryStore, TagStore, TopologyStore } from "../registry/index.ts";
import type { RuleStore } from "../rules/index.ts";
import type { ScriptStore } from "../scripts/index.ts";
import type { ThingModelStore } from "../things/index.ts";
import { defaultStoreLimits, type StoreLimits } from "./limits.ts";
import { migrate } from "./migrate.ts";
import type { Schema } from "./schema.ts";
import { createSecretBox, masterKeyBytes } from "./secret-box.ts";
import { createSqliteSettingsStore, type SettingsStore } from "./settings-store.ts";
import { createSqliteDeviceCertificateStore } from "./sqlite-device-certificate-store.ts";
import { createSqliteDeviceFileStore } from "./sqlite-device-file-store.ts";
import { createSqliteDeviceLineStore } from "./sqlite-device-line-store.ts";
import { createSqliteDeviceLogStore } from "./sqlite-device-log-store.ts";
import { createSqliteConfigStore, createSqliteDiagnosticStore, createSqliteShadowStore } from "./sqlite-device-services-store.ts";
import { createSqliteDeviceTokenStore } from "./sqlite-device-token-store.ts";
import { openSqliteFile, TransactionalSqliteDialect } from "./sqlite-file.ts";
import { createSqliteFleetJobStore } from "./sqlite-fleet-job-store.ts";
import { createSqliteFleetStore } from "./sqlite-fleet-store.ts";
import { createSqliteGroupStore } from "./sqlite-group-store.ts";
import { createSqliteJobStore } from "./sqlite-job-store.ts";
import { createSqliteMqttUserStore } from "./sqlite-mqtt-user-store.ts";
import { createSqliteNamedShadowStore } from "./sqlite-named-shadow-store.ts";
import { createSqliteOtaStore } from "./sqlite-ota-store.ts";
import { createSqliteRegistrationBatchStore } from "./sqlite-registration-batch-store.ts";
import { createSqliteRegistryStore } from "./sqlite-registry-store.ts";
import { createSqliteRuleStore } from "./sqlite-rule-store.ts";
import { createSqliteScriptStore } from "./sqlite-script-store.ts";
import { createSqliteTagStore } from "./sqlite-tag-store.ts";
import { createSqliteThingStore } from "./sqlite-thing-store.ts";
import { createSqliteTokenStore } from "./sqlite-token-store.ts";
import { createSqliteTopologyStore } from "./sqlite-topology-store.ts";

export interface Store {
  registry: RegistryStore;
  deviceLog: DeviceLogStore;
  rules: RuleStore;
  ota: OtaStore;
  scripts: ScriptStore;
  thingModels: ThingModelStore;
  tokens: TokenStore;
  deviceTokens: DeviceTokenStore;
  deviceCertificates: DeviceCertificateStore;
  topology: TopologyStore;
  tags: TagStore;
  registrationBatches: RegistrationBatchStore;
  groups: GroupStore;
  mqttUsers: MqttUserStore;
  shadows: ShadowStore;
  configs: ConfigStore;
  deviceLines: DeviceLineStore;
  diagnostics: DiagnosticStore;
  deviceFiles: DeviceFileStore;
  jobs: JobStore;
  fleetJobs: FleetJobStore;
  fleet: FleetStore;
  namedShadows: NamedShadowStore;
  settings: SettingsStore;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Directory of `thingstead.db`, made when missing; `:memory:` keeps nothing. */
  dataDir: string;
  /** 32 bytes, see `loadMasterKey`. */
  masterKey: Buffer;
  /** Gives sockets their turn during long transactions. */
  clock?: Clock;
  /** Draws the nonces of encryption. */
  random?: Random;
  limits?: Partial<StoreLimits>;
}

/**
 * Opens the store for this process alone and brings it to this version.
 *
 * Throws `store.unwritable`, `store.locked`, `store.damaged`, `store.newer_version`, `store.migration_failed`,
 * `store.wrong_master_key`; nothing is changed then.
 *
 * @example const store = await openStore({ dataDir, masterKey: loadMasterKey(dataDir) })
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataDir, masterKey, clock = systemClock, random = systemRandom } = options;
  if (masterKey.length !== masterKeyBytes) {
    throw new PlatformError("store.master_key_damaged", { file: "masterKey", received: `${masterKey.length} bytes` });
  }
  const limits = { ...defaultStoreLimits, ...options.limits };
  const file = openSqliteFile(dataDir, limits);
  const db = new Kysely<Schema>({ dialect: new TransactionalSqliteDialect({ database: file }) });
  const box = createSecretBox(masterKey, random);
  const settings = createSqliteSettingsStore(db, box);
  try {
    await migrate(db, file.path);
    await checkMasterKey(settings, file.path);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    registry: createSqliteRegistryStore(db, box, clock),
    deviceLog: createSqliteDeviceLogStore(db, limits.trimEntriesMax),
    rules: createSqliteRuleStore(db, box),
    ota: createSqliteOtaStore(db, clock),
    scripts: createSqliteScriptStore(db),
    thingModels: createSqliteThingStore(db),
    tokens: createSqliteTokenStore(db),
    deviceTokens: createSqliteDeviceTokenStore(db),
    deviceCertificates: createSqliteDeviceCertificateStore(db),
    topology: createSqliteTopologyStore(db),
    tags: createSqliteTagStore(db),
    registrationBatches: createSqliteRegistrationBatchStore(db),
    groups: createSqliteGroupStore(db),
    mqttUsers: createSqliteMqttUserStore(db),
    shadows: createSqliteShadowStore(db),
    configs: createSqliteConfigStore(db),
    deviceLines: createSqliteDeviceLineStore(db),
    diagnostics: createSqliteDiagnosticStore(db),
    deviceFiles: createSqliteDeviceFileStore(db),
    jobs: createSqliteJobStore(db),
    fleetJobs: createSqliteFleetJobStore(db),
    fleet: createSqliteFleetStore(db),
    namedShadows: createSqliteNamedShadowStore(db),
    settings,
    close: () => db.destroy(),
  };
}

const keyCheckName = "store.key-check";

/** The first start seals a known text; later starts must be able to open it. */
async function checkMasterKey(settings: SettingsStore, file: string): Promise<void> {
  try {
    const sealed = await settings.read(keyCheckName);
    if (sealed === undefined) await settings.write(keyCheckName, "thingstead", { isSecret: true });
  } catch (error) {
    if (error instanceof PlatformError && error.code === "store.secret_unreadable") {
      throw new PlatformError("store.wrong_master_key", { file }, { cause: error });
    }
    throw error;
  }
}
