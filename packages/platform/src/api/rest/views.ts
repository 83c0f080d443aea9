/** Domain values as the REST API shows them: times as ISO 8601 in UTC, secrets only where they are asked for. */
import type { Static } from "typebox";
import type { LogEntry } from "../../device-log/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { Device, MqttUser, Paged, Product, TopicClassRecord } from "../../registry/index.ts";
import type { AwsAction, DeadLetter, Rule, RuleAction } from "../../rules/index.ts";
import type {
  deadLetterSchema,
  deviceSchema,
  logEntrySchema,
  mqttUserSchema,
  productSchema,
  ruleSchema,
  topicClassSchema,
} from "./schemas.ts";

export function formatTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Milliseconds since the epoch from ISO 8601 text or from such a number as text. */
export function parseTime(text: string, path: string): number {
  const milliseconds = /^\d{1,15}$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    throw new PlatformError("api.request_invalid", {
      path,
      received: JSON.stringify(text.slice(0, 80)),
      expected: "a time like 2026-01-31T12:00:00Z or milliseconds since the epoch",
    });
  }
  return milliseconds;
}

export function toProductView(
  product: Product & { deviceCount?: number },
  { withSecret }: { withSecret: boolean },
): Static<typeof productSchema> {
  return {
    productKey: product.productKey,
    ...(withSecret ? { productSecret: product.productSecret } : {}),
    name: product.name,
    description: product.description,
    nodeType: product.nodeType,
    topicStyle: product.topicStyle,
    dataFormat: product.dataFormat,
    authType: product.authType,
    isRegistrationOpen: product.isRegistrationOpen,
    isSelfRegistrationOpen: product.isSelfRegistrationOpen,
    isReleased: product.isReleased === true,
    ...(product.certificateIssuer === undefined ? {} : { certificateIssuer: product.certificateIssuer }),
    createdAt: formatTime(product.createdAt),
    ...(product.deviceCount === undefined ? {} : { deviceCount: product.deviceCount }),
  };
}

export function toDeviceView(device: Device, { withSecret }: { withSecret: boolean }): Static<typeof deviceSchema> {
  return {
    iotId: device.iotId,
    productKey: device.productKey,
    deviceName: device.deviceName,
    ...(withSecret ? { deviceSecret: device.deviceSecret } : {}),
    nickname: device.nickname,
    status: device.status,
    isEnabled: device.isEnabled,
    createdAt: formatTime(device.createdAt),
    modifiedAt: formatTime(device.modifiedAt),
    ...(device.activatedAt === undefined ? {} : { activatedAt: formatTime(device.activatedAt) }),
    ...(device.lastOnlineAt === undefined ? {} : { lastOnlineAt: formatTime(device.lastOnlineAt) }),
    ...(device.lastOfflineAt === undefined ? {} : { lastOfflineAt: formatTime(device.lastOfflineAt) }),
    ...(device.remoteAddress === undefined ? {} : { remoteAddress: device.remoteAddress }),
  };
}

export function toTopicClassView(topicClass: TopicClassRecord): Static<typeof topicClassSchema> {
  const { id, productKey, template, operation, description, createdAt } = topicClass;
  return { id, productKey, template, operation, description, createdAt: formatTime(createdAt) };
}

export function toMqttUserView(user: MqttUser & { password?: string }): Static<typeof mqttUserSchema> {
  const { userName, password, description, rights, createdAt, modifiedAt } = user;
  return {
    userName,
    ...(password === undefined ? {} : { password }),
    description,
    rights: rights.map(({ filter, operation }) => ({ filter, operation })),
    createdAt: formatTime(createdAt),
    modifiedAt: formatTime(modifiedAt),
  };
}

/** Values of webhook headers are often tokens; without `withSecret` only their names are told. */
function toActionView(action: RuleAction, withSecret: boolean): Static<typeof ruleSchema>["actions"][number]["action"] {
  if (action.type === "aws") return { type: "aws", action: withSecret ? { ...action.action } : withoutHeaders(action.action) };
  if (action.type !== "webhook" || action.headers === undefined || withSecret) return action;
  const { headers, ...rest } = action;
  return { ...rest, headerNames: Object.keys(headers) };
}

/** `headers` of an HTTP action: names only. Any other field that may be a credential goes as well. */
function withoutHeaders(action: AwsAction): Record<string, unknown> {
  return JSON.parse(JSON.stringify(action), (key, value: unknown) => {
    if (key === "headers" && Array.isArray(value)) return value.map((header: { key?: unknown }) => ({ key: header?.key, value: "" }));
    return key === "token" || key === "clientProperties" ? "" : value;
  });
}

export function toRuleView(rule: Rule, { withSecret = false } = {}): Static<typeof ruleSchema> {
  return {
    id: rule.id,
    name: rule.name,
    description: rule.description,
    language: rule.language,
    ...(rule.sqlVersion === undefined ? {} : { sqlVersion: rule.sqlVersion }),
    sql: rule.sql,
    dataType: rule.dataType,
    isRunning: rule.isRunning,
    ...(rule.errorAction === undefined ? {} : { errorAction: toActionView(rule.errorAction, withSecret) }),
    actions: rule.actions.map(({ id, action }) => ({ id, action: toActionView(action, withSecret) })),
    createdAt: formatTime(rule.createdAt),
    modifiedAt: formatTime(rule.modifiedAt),
    statistics: rule.statistics,
  };
}

export function toDeadLetterView(letter: DeadLetter): Static<typeof deadLetterSchema> {
  const text = decodeUtf8(letter.payload);
  return {
    id: letter.id,
    ruleId: letter.ruleId,
    actionId: letter.actionId,
    time: formatTime(letter.time),
    topic: letter.topic,
    payloadBase64: Buffer.from(letter.payload).toString("base64"),
    ...(text === undefined ? {} : { payload: text }),
    tries: letter.tries,
    code: letter.code,
    reason: letter.reason,
  };
}

export function toLogEntryView(entry: LogEntry): Static<typeof logEntrySchema> {
  const { id, time, kind, code, isSuccess, productKey, deviceName, topic, qos, payloadBytes, remoteAddress, clientId } = entry;
  const { reason, received, expected } = entry;
  return {
    id,
    time: formatTime(time),
    kind,
    code,
    isSuccess,
    ...withoutNothing({ productKey, deviceName, topic, qos, payloadBytes, remoteAddress, clientId, reason, received, expected }),
  };
}

export function toPageView<T, View>(page: Paged<T>, toView: (item: T) => View): Paged<View> {
  return { items: page.items.map(toView), page: page.page, pageSize: page.pageSize, total: page.total };
}

/** Members without a value are absent. */
function withoutNothing<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
