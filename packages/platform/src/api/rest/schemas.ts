/** The nouns of the REST API as schemas: one source for checks, serialisation and the API document. */
import { type Static, type TSchema, Type } from "typebox";
import type { ApiLimits } from "../limits.ts";

const strict = { additionalProperties: false } as const;
const time = (description: string) => Type.String({ format: "date-time", description });
const optionalTime = (description: string) => Type.Optional(time(description));

const errorSchema = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String({ description: "Stable; programs compare this.", examples: ["registry.device_not_found"] }),
        message: Type.String({ description: "For people, in the language of Accept-Language (en or zh)." }),
        details: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
        requestId: Type.String(),
      },
      strict,
    ),
  },
  { $id: "Error", ...strict },
);

export const productSchema = Type.Object(
  {
    productKey: Type.String(),
    productSecret: Type.Optional(Type.String({ description: "Only in the answer to POST and with ?secret=true." })),
    name: Type.String(),
    description: Type.String(),
    nodeType: Type.Enum(["device", "gateway"]),
    topicStyle: Type.Enum(["user", "legacy", "none"]),
    dataFormat: Type.Enum([0, 1], { description: "0 = raw bytes, 1 = Alink JSON." }),
    authType: Type.Enum(["secret", "x509"]),
    isRegistrationOpen: Type.Boolean(),
    isSelfRegistrationOpen: Type.Boolean(),
    isReleased: Type.Boolean(),
    certificateIssuer: Type.Optional(Type.Enum(["platform", "other"])),
    createdAt: time("When the product was made."),
    deviceCount: Type.Optional(Type.Integer()),
  },
  { $id: "Product", ...strict },
);

export const topicClassSchema = Type.Object(
  {
    id: Type.Integer(),
    productKey: Type.String(),
    template: Type.String({ examples: ["/${productKey}/${deviceName}/user/get"] }),
    operation: Type.Enum(["PUB", "SUB", "ALL"]),
    description: Type.String(),
    createdAt: time("When the topic class was made."),
  },
  { $id: "TopicClass", ...strict },
);

export const mqttUserSchema = Type.Object(
  {
    userName: Type.String(),
    password: Type.Optional(Type.String({ description: "Only in the answers that set it; it is stored as a hash." })),
    description: Type.String(),
    rights: Type.Array(
      Type.Object(
        {
          filter: Type.String({ examples: ["home/%u/#"], description: "`%u` stands for the user name, `%c` for the client id." }),
          operation: Type.Enum(["PUB", "SUB", "ALL"]),
        },
        strict,
      ),
    ),
    createdAt: time("When the user was made."),
    modifiedAt: time("When the user was changed last."),
  },
  { $id: "MqttUser", ...strict },
);

export const deviceStatusSchema = Type.Enum(["UNACTIVE", "ONLINE", "OFFLINE", "DISABLE"]);

export const deviceSchema = Type.Object(
  {
    iotId: Type.String(),
    productKey: Type.String(),
    deviceName: Type.String(),
    deviceSecret: Type.Optional(Type.String({ description: "Only in answers that create devices and with ?secret=true." })),
    nickname: Type.String(),
    status: deviceStatusSchema,
    isEnabled: Type.Boolean(),
    createdAt: time("When the device was registered."),
    modifiedAt: time("When the registration was last changed."),
    activatedAt: optionalTime("First connection."),
    lastOnlineAt: optionalTime("Start of the last connection."),
    lastOfflineAt: optionalTime("End of the last connection."),
    remoteAddress: Type.Optional(Type.String({ description: "Address of the last connection." })),
  },
  { $id: "Device", ...strict },
);

const republishActionSchema = Type.Object(
  {
    type: Type.Literal("republish"),
    topic: Type.String({ minLength: 1, description: "`${name}` is filled from the SQL result." }),
    qos: Type.Optional(Type.Enum([0, 1])),
  },
  strict,
);

const webhookMembers = {
  type: Type.Literal("webhook"),
  url: Type.String({ minLength: 1, description: "http: or https:; `${name}` is filled from the SQL result." }),
  method: Type.Optional(Type.Enum(["POST", "PUT"])),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: "Often tokens: answered only by POST, PATCH and with ?secret=true." }),
  ),
  timeoutMilliseconds: Type.Optional(Type.Integer({ minimum: 1 })),
};

const awsActionMembers = {
  type: Type.Literal("aws"),
  action: Type.Record(Type.String(), Type.Unknown(), {
    description:
      "Of a rule in AWS SQL: one member as the AWS API has it, { republish: { topic } }. Answered without the values of headers.",
  }),
};

export const ruleActionSchema = Type.Union([
  republishActionSchema,
  Type.Object(webhookMembers, strict),
  Type.Object(awsActionMembers, strict),
]);

export const ruleLanguageSchema = Type.Enum(["alibaba", "aws"], { description: "Whose SQL the rule is written in." });
export const sqlVersionSchema = Type.Enum(["2015-10-08", "2016-03-23", "beta"], { description: "Of AWS SQL." });

const shownActionSchema = Type.Union([
  republishActionSchema,
  Type.Object(
    { ...webhookMembers, headerNames: Type.Optional(Type.Array(Type.String(), { description: "In place of `headers`." })) },
    strict,
  ),
  Type.Object(awsActionMembers, strict),
]);

export const ruleSchema = Type.Object(
  {
    id: Type.Integer(),
    name: Type.String(),
    description: Type.String(),
    language: ruleLanguageSchema,
    sqlVersion: Type.Optional(sqlVersionSchema),
    sql: Type.String(),
    dataType: Type.Enum(["json", "binary"]),
    isRunning: Type.Boolean(),
    errorAction: Type.Optional(shownActionSchema),
    actions: Type.Array(Type.Object({ id: Type.Integer(), action: shownActionSchema }, strict)),
    createdAt: time("When the rule was made."),
    modifiedAt: time("When the rule was last changed."),
    statistics: Type.Object(
      { matched: Type.Integer(), passed: Type.Integer(), failed: Type.Integer(), deadLetters: Type.Integer(), dropped: Type.Integer() },
      { ...strict, description: "Counters since the server started." },
    ),
  },
  { $id: "Rule", ...strict },
);

export const deadLetterSchema = Type.Object(
  {
    id: Type.Integer(),
    ruleId: Type.Integer(),
    actionId: Type.Integer(),
    time: time("When the last try failed."),
    topic: Type.String(),
    payloadBase64: Type.String(),
    payload: Type.Optional(Type.String({ description: "The payload as text, when it is UTF-8." })),
    tries: Type.Integer(),
    code: Type.String(),
    reason: Type.String(),
  },
  { $id: "DeadLetter", ...strict },
);

export const logKindSchema = Type.Enum([
  "connect",
  "refuse",
  "subscribe",
  "unsubscribe",
  "publish",
  "deliver",
  "forward",
  "disconnect",
  "drop",
  "auth",
]);

export const logEntrySchema = Type.Object(
  {
    id: Type.Integer(),
    time: time("When it happened."),
    kind: logKindSchema,
    code: Type.String(),
    isSuccess: Type.Boolean(),
    productKey: Type.Optional(Type.String()),
    deviceName: Type.Optional(Type.String()),
    topic: Type.Optional(Type.String()),
    qos: Type.Optional(Type.Integer()),
    payloadBytes: Type.Optional(Type.Integer()),
    remoteAddress: Type.Optional(Type.String()),
    clientId: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
    received: Type.Optional(Type.String()),
    expected: Type.Optional(Type.String()),
  },
  { $id: "LogEntry", ...strict },
);

const credentialsSchema = Type.Object(
  {
    mode: Type.Enum(["tcp", "tls"]),
    host: Type.String(),
    port: Type.Integer(),
    clientId: Type.String(),
    userName: Type.String(),
    password: Type.String(),
  },
  { $id: "ConnectCredentials", ...strict },
);

/** Shared by `$ref`, so that the document names each noun once. */
export const sharedSchemas = [
  errorSchema,
  productSchema,
  topicClassSchema,
  mqttUserSchema,
  deviceSchema,
  ruleSchema,
  deadLetterSchema,
  logEntrySchema,
  credentialsSchema,
];

/** Reference to a shared schema that keeps its static type. */
function refer<S extends TSchema>(id: string, _schema: S) {
  return Type.Unsafe<Static<S>>({ $ref: `${id}#` });
}

export const productRef = refer("Product", productSchema);
export const topicClassRef = refer("TopicClass", topicClassSchema);
export const mqttUserRef = refer("MqttUser", mqttUserSchema);
export const deviceRef = refer("Device", deviceSchema);
export const ruleRef = refer("Rule", ruleSchema);
export const deadLetterRef = refer("DeadLetter", deadLetterSchema);
export const logEntryRef = refer("LogEntry", logEntrySchema);
export const credentialsRef = refer("ConnectCredentials", credentialsSchema);
const errorRef = refer("Error", errorSchema);

export function pageOf<S extends TSchema>(item: S) {
  return Type.Object({ items: Type.Array(item), page: Type.Integer(), pageSize: Type.Integer(), total: Type.Integer() }, strict);
}

export function pageQuery(limits: ApiLimits) {
  return {
    page: Type.Integer({ minimum: 1, maximum: limits.pageMax, default: 1, description: "From 1." }),
    pageSize: Type.Integer({ minimum: 1, maximum: limits.pageSizeMax, default: limits.pageSizeDefault }),
  };
}

export const secretQuery = Type.Object({ secret: Type.Boolean({ default: false, description: "true: answer with the secret." }) }, strict);

export const productPath = Type.Object({ productKey: Type.String() }, strict);
export const devicePath = Type.Object({ productKey: Type.String(), deviceName: Type.String() }, strict);
export const idSchema = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
export const idPath = Type.Object({ id: idSchema }, strict);

export const noContent = Type.Null({ description: "Done." });

const errorDescriptions: Readonly<Record<number, string>> = {
  400: "The request is not valid.",
  401: "The access key is missing or wrong.",
  404: "Something named in the request does not exist.",
  409: "The request conflicts with what exists.",
  413: "The body is too large.",
  415: "The body is not JSON.",
  429: "Too many requests of this kind.",
  500: "A fault of the server.",
  503: "The server is busy or stopping; try again.",
  504: "The device did not answer in time.",
  507: "The disk of the server is full; nothing was changed.",
};

/** The error answers of a route: its own ones and those that every authenticated route can give. */
export function errorAnswers<const Statuses extends readonly number[]>(...statuses: Statuses): Record<number, typeof errorRef> {
  const all = [...new Set([400, 401, 429, 500, 507, ...statuses])].sort();
  return Object.fromEntries(all.map((status) => [status, { ...errorRef, description: errorDescriptions[status] ?? "Refused." }]));
}
