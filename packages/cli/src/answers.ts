/** Answers of the REST API as far as the commands show them; the server's OpenAPI document is the whole of it. */
export interface Page<T> {
  items: T[];
  page: number;
  pageSize: number;
  total: number;
}

export interface ProductAnswer {
  productKey: string;
  productSecret?: string;
  name: string;
  description: string;
  nodeType: string;
  topicStyle: string;
  dataFormat: number;
  authType: string;
  isRegistrationOpen: boolean;
  isSelfRegistrationOpen: boolean;
  isReleased: boolean;
  createdAt: string;
  deviceCount?: number;
}

export interface DeviceAnswer {
  iotId: string;
  productKey: string;
  deviceName: string;
  deviceSecret?: string;
  nickname: string;
  status: string;
  isEnabled: boolean;
  createdAt: string;
  activatedAt?: string;
  lastOnlineAt?: string;
  lastOfflineAt?: string;
  remoteAddress?: string;
}

export interface TopicAnswer {
  id: number;
  template: string;
  operation: string;
  description: string;
}

export interface MqttUserAnswer {
  userName: string;
  password?: string;
  description: string;
  rights: { filter: string; operation: string }[];
  createdAt: string;
  modifiedAt: string;
}

export type ActionAnswer =
  | { type: "republish"; topic: string; qos?: number }
  | { type: "webhook"; url: string; method?: string; headers?: Record<string, string> }
  | { type: "aws"; action: Record<string, unknown> };

export interface RuleAnswer {
  id: number;
  name: string;
  description: string;
  language: string;
  sqlVersion?: string;
  errorAction?: ActionAnswer;
  sql: string;
  dataType: string;
  isRunning: boolean;
  actions: { id: number; action: ActionAnswer }[];
  createdAt: string;
  statistics: Record<string, number>;
}

export interface DeadLetterAnswer {
  id: number;
  time: string;
  topic: string;
  payload?: string;
  payloadBase64: string;
  tries: number;
  code: string;
  reason: string;
}

export interface LogEntryAnswer {
  id: number;
  time: string;
  kind: string;
  code: string;
  isSuccess: boolean;
  productKey?: string;
  deviceName?: string;
  topic?: string;
  qos?: number;
  payloadBytes?: number;
  remoteAddress?: string;
  clientId?: string;
  reason?: string;
  received?: string;
  expected?: string;
}

export interface FirmwareFileAnswer {
  id: number;
  bytes: number;
  md5: string;
  sha256: string;
}

export interface OtaPackageAnswer {
  id: number;
  productKey: string;
  name: string;
  module: string;
  version: string;
  status: string;
  files: FirmwareFileAnswer[];
  createdAt: string;
}

export interface OtaJobAnswer {
  id: number;
  packageId: number;
  kind: string;
  selection: string;
  version: string;
  status: string;
  reason?: string;
  createdAt: string;
  /** Number of tasks, in all and by status. */
  tasks?: Record<string, number>;
}

export interface OtaTaskAnswer {
  id: number;
  deviceName: string;
  sourceVersion?: string;
  version: string;
  status: string;
  progress: number;
  reason?: string;
  description: string;
}

export interface JobAnswer {
  id: string;
  name: string;
  description: string;
  createdAt: string;
  isCancelled: boolean;
  counts: Record<string, number>;
}

export interface JobTaskAnswer {
  taskId: string;
  productKey: string;
  deviceName: string;
  status: string;
  progress: number;
  modifiedAt: string;
}

export interface DeviceLineAnswer {
  id: number;
  deviceName: string;
  receivedAt: string;
  level: string;
  module: string;
  code: string;
  content: string;
}

export interface DeviceIdentityAnswer {
  productKey: string;
  deviceName: string;
  iotId: string;
}

export interface GroupAnswer {
  groupId: string;
  name: string;
  description: string;
  superGroupId?: string;
  createdAt: string;
  deviceCount?: number;
}

export interface CertificateAnswer {
  fingerprint: string;
  serialNumber: string;
  /** PEM. */
  certificate: string;
  expiresAt: string;
  createdAt: string;
  /** Of an issued one, this once. */
  privateKey?: string;
  ca?: string;
}
