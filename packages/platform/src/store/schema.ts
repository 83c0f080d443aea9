/** The tables as kysely sees them. Times are milliseconds since the epoch; flags are 0 and 1; sealed columns hold ciphertext. */
import type { Generated, GeneratedAlways } from "kysely";
import type { AwsSqlVersion } from "../rules/index.ts";
import type { FleetSchema } from "./schema-fleet.ts";
import type { FleetJobSchema } from "./schema-fleet-jobs.ts";
import type { NamedShadowSchema } from "./schema-named-shadows.ts";

export interface ProductTable {
  product_key: string;
  sealed_secret: Buffer;
  name: string;
  description: string;
  node_type: "device" | "gateway";
  topic_style: "user" | "legacy" | "none";
  data_format: 0 | 1;
  auth_type: Generated<"secret" | "x509">;
  is_registration_open: Generated<0 | 1>;
  is_self_registration_open: Generated<0 | 1>;
  is_released: Generated<0 | 1>;
  certificate_issuer: "platform" | "other" | null;
  created_at: number;
}

export interface DeviceTable {
  id: Generated<number>;
  product_key: string;
  device_name: string;
  iot_id: string;
  sealed_secret: Buffer;
  nickname: string;
  is_enabled: 0 | 1;
  is_online: 0 | 1;
  /** Computed by the database from the columns around it, so that it can be indexed. */
  status: GeneratedAlways<"UNACTIVE" | "ONLINE" | "OFFLINE" | "DISABLE">;
  created_at: number;
  modified_at: number;
  activated_at: number | null;
  last_online_at: number | null;
  last_offline_at: number | null;
  remote_address: string | null;
}

export interface TopicClassTable {
  id: Generated<number>;
  product_key: string;
  template: string;
  operation: "PUB" | "SUB" | "ALL";
  description: string;
  created_at: number;
}

export interface DeviceLogTable {
  id: number;
  time: number;
  kind: string;
  code: string;
  is_success: 0 | 1;
  product_key: string | null;
  device_name: string | null;
  topic: string | null;
  qos: number | null;
  payload_bytes: number | null;
  remote_address: string | null;
  client_id: string | null;
  reason: string | null;
  received: string | null;
  expected: string | null;
}

export interface RuleTable {
  id: Generated<number>;
  name: string;
  description: string;
  sql_text: string;
  data_type: "json" | "binary";
  is_running: 0 | 1;
  created_at: number;
  modified_at: number;
  language: "alibaba" | "aws";
  sql_version: AwsSqlVersion | null;
  /** As of a rule's other actions. */
  sealed_error_action: Buffer | null;
}

export interface RuleActionTable {
  id: Generated<number>;
  rule_id: number;
  /** JSON of the action, sealed: headers of a webhook carry credentials. */
  sealed_action: Buffer;
}

export interface RulePendingTable {
  id: Generated<number>;
  rule_id: number;
  action_id: number;
  topic: string;
  payload: Buffer;
  sealed_request: Buffer;
  tries: number;
  next_try_at: number;
  created_at: number;
}

export interface RuleDeadLetterTable {
  id: Generated<number>;
  rule_id: number;
  action_id: number;
  time: number;
  topic: string;
  payload: Buffer;
  sealed_request: Buffer;
  tries: number;
  code: string;
  reason: string;
}

interface TokenTable {
  token_hash: string;
  iot_id: string;
  product_key: string;
  device_name: string;
  expires_at: number;
}

interface MqttUserTable {
  user_name: string;
  password_hash: string;
  description: string;
  /** JSON list of { filter, operation }. */
  rights: string;
  created_at: number;
  modified_at: number;
}

interface TopologyTable {
  sub_id: number;
  gateway_id: number;
  created_at: number;
}

interface DeviceTagTable {
  device_id: number;
  key: string;
  value: string;
}

interface ProductTagTable {
  product_key: string;
  key: string;
  value: string;
}

interface DeviceGroupTable {
  group_id: string;
  name: string;
  description: string;
  super_group_id: string | null;
  created_at: number;
}

interface GroupDeviceTable {
  group_id: string;
  device_id: number;
}

interface GroupTagTable {
  group_id: string;
  key: string;
  value: string;
}

interface DeviceTokenTable {
  device_id: number;
  client_id: string;
  token_hash: string;
  created_at: number;
}

interface DeviceCertificateTable {
  fingerprint: string;
  device_id: number;
  serial_number: string;
  /** PEM. */
  certificate: string;
  expires_at: number;
  created_at: number;
}

interface SettingTable {
  key: string;
  /** UTF-8 text, or ciphertext when `is_sealed` is 1. */
  value: Buffer;
  is_sealed: 0 | 1;
}

interface ThingModelDraftTable {
  product_key: string;
  /** Empty for the default module. */
  function_block_id: string;
  tsl: string;
}

interface ThingModelVersionTable {
  id: Generated<number>;
  product_key: string;
  version: string;
  description: string;
  created_at: number;
  /** JSON list of { functionBlockId, tsl }. */
  modules: string;
}

interface ThingModelLevelTable {
  product_key: string;
  level: "strong" | "weak" | "none";
}

interface ProductScriptTable {
  product_key: string;
  code: string;
  modified_at: number;
}

export interface OtaModuleTable {
  product_key: string;
  name: string;
  alias: string;
  description: string;
  created_at: number;
  modified_at: number;
}

export interface OtaFileTable {
  id: Generated<number>;
  sha256: string;
  md5: string;
  bytes: number;
  created_at: number;
}

export interface OtaPackageTable {
  id: Generated<number>;
  product_key: string;
  name: string;
  description: string;
  module: string;
  kind: "full" | "differential";
  source_version: string | null;
  version: string;
  sign_method: "MD5" | "SHA256";
  digest_sign: string | null;
  user_info: string | null;
  status: "unverified" | "verifying" | "verified" | "failed" | "exempt";
  created_at: number;
  modified_at: number;
}

interface OtaPackageFileTable {
  package_id: number;
  position: number;
  file_id: number;
  name: string;
}

export interface OtaJobTable {
  id: Generated<number>;
  package_id: number;
  product_key: string;
  module: string;
  version: string;
  kind: "verify" | "upgrade";
  selection: "static" | "dynamic";
  /** JSON of target and options. */
  definition: string;
  is_selecting: 0 | 1;
  status: "PLANNED" | "IN_PROGRESS" | "COMPLETED" | "CANCELED";
  reason: string | null;
  scheduled_at: number | null;
  scheduled_end_at: number | null;
  created_at: number;
  modified_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export interface OtaTaskTable {
  id: Generated<number>;
  job_id: number;
  package_id: number;
  product_key: string;
  device_name: string;
  iot_id: string;
  module: string;
  source_version: string | null;
  version: string;
  status: "CONFIRM" | "QUEUED" | "NOTIFIED" | "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "CANCELED";
  progress: number;
  reason: string | null;
  description: string;
  timeout_at: number | null;
  retry_at: number | null;
  /** The earlier of the two, computed by the database so that it can be indexed. */
  due_at: GeneratedAlways<number | null>;
  retries_left: number;
  is_owed: 0 | 1;
  revision: number;
  created_at: number;
  modified_at: number;
}

interface OtaVersionTable {
  product_key: string;
  device_name: string;
  module: string;
  iot_id: string;
  version: string;
  reported_at: number;
}

export interface RegistrationBatchTable {
  id: Generated<number>;
  product_key: string;
  status: "checked" | "refused" | "creating" | "created" | "failed";
  /** JSON list of { deviceName, nickname }. */
  devices: string;
  /** JSON list of names. */
  invalid_names: string;
  created_at: number;
}

interface ShadowTable {
  device_id: number;
  version: number;
  /** JSON of values and their times. */
  body: string;
  /** Seconds. */
  modified_at: number;
}

interface RemoteConfigTable {
  id: Generated<number>;
  product_key: string;
  content: Buffer;
  bytes: number;
  sha256: string;
  created_at: number;
}

interface DeviceLineTable {
  id: Generated<number>;
  device_id: number;
  received_at: number;
  utc_time: string | null;
  level: string;
  module: string;
  code: string;
  trace_context: string | null;
  content: string;
}

interface DeviceDiagnosticTable {
  id: Generated<number>;
  device_id: number;
  received_at: number;
  report: string;
}

interface DeviceFileTable {
  id: Generated<number>;
  upload_id: string;
  device_id: number;
  name: string;
  bytes: number;
  stored_bytes: number;
  is_complete: 0 | 1;
  created_at: number;
  modified_at: number;
}

interface DeviceJobTable {
  id: Generated<number>;
  job_id: string;
  name: string;
  description: string;
  document: string;
  /** JSON of a file elsewhere. */
  file: string | null;
  content: Buffer | null;
  content_sha256: string | null;
  timeout_minutes: number | null;
  is_cancelled: 0 | 1;
  created_at: number;
  /** JSON. */
  rollout: string;
  /** JSON. */
  notes: string;
  modified_at: number;
}

interface DeviceJobTaskTable {
  id: Generated<number>;
  task_id: string;
  job_id: string;
  device_id: number;
  status: string;
  progress: number;
  details: string;
  queued_at: number;
  modified_at: number;
  deadline_at: number | null;
}

export interface Schema extends FleetSchema, FleetJobSchema, NamedShadowSchema {
  shadows: ShadowTable;
  remote_configs: RemoteConfigTable;
  remote_config_switches: { product_key: string; is_enabled: 0 | 1 };
  device_lines: DeviceLineTable;
  device_line_switches: { device_id: number };
  device_diagnostics: DeviceDiagnosticTable;
  device_files: DeviceFileTable;
  device_jobs: DeviceJobTable;
  device_job_tasks: DeviceJobTaskTable;
  registration_batches: RegistrationBatchTable;
  ota_modules: OtaModuleTable;
  ota_files: OtaFileTable;
  ota_packages: OtaPackageTable;
  ota_package_files: OtaPackageFileTable;
  ota_jobs: OtaJobTable;
  ota_tasks: OtaTaskTable;
  ota_versions: OtaVersionTable;
  thing_model_drafts: ThingModelDraftTable;
  thing_model_versions: ThingModelVersionTable;
  thing_model_levels: ThingModelLevelTable;
  products: ProductTable;
  product_scripts: ProductScriptTable;
  devices: DeviceTable;
  topic_classes: TopicClassTable;
  device_log: DeviceLogTable;
  rules: RuleTable;
  rule_actions: RuleActionTable;
  rule_pending: RulePendingTable;
  rule_dead_letters: RuleDeadLetterTable;
  tokens: TokenTable;
  mqtt_users: MqttUserTable;
  settings: SettingTable;
  topology: TopologyTable;
  device_tags: DeviceTagTable;
  product_tags: ProductTagTable;
  device_groups: DeviceGroupTable;
  group_devices: GroupDeviceTable;
  group_tags: GroupTagTable;
  device_tokens: DeviceTokenTable;
  device_certificates: DeviceCertificateTable;
}
