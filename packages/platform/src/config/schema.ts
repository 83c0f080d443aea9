/** The one schema of all settings: names, types, defaults and meaning. Everything else (flags, environment, file, docs) follows it. */
import { type Static, type TSchema, Type } from "typebox";
import { roomLimits } from "./limits.ts";

/** A section of named limits: the defaults say which members there are and of which type each is. */
function limitsSection(defaults: object): TSchema {
  const members = Object.entries(defaults).map(([name, value]) => [name, limitSchema(value)] as const);
  return Type.Object(Object.fromEntries(members), { additionalProperties: false, default: {} });
}

function limitSchema(value: unknown): TSchema {
  if (typeof value === "number") return Type.Number({ default: value, minimum: 0 });
  if (typeof value === "boolean") return Type.Boolean({ default: value });
  if (Array.isArray(value)) return Type.Array(Type.Number({ minimum: 0 }), { default: value });
  if (typeof value === "object" && value !== null) return limitsSection(value);
  return Type.String({ default: String(value) });
}

const section = <T extends Record<string, TSchema>>(members: T) => Type.Object(members, { additionalProperties: false, default: {} });

export const settingsSchema = section({
  dataDir: Type.String({ default: "./data", minLength: 1, description: "SQLite files, CA, keys, firmware" }),
  host: Type.String({
    default: "",
    description: "The name handed to devices and put into the certificate; empty = this machine's host name",
  }),
  listen: section({
    device: Type.Array(Type.String(), {
      default: ["1883", "8883", "8443"],
      description: "Device ports, `[host:]port`; each accepts MQTT, TLS, WebSocket and HTTP. 0 = any free port",
    }),
    http: Type.Array(Type.String(), { default: ["8080"], description: "REST, vendor APIs, health" }),
  }),
  accessKey: section({
    id: Type.String({ default: "", description: "Root access key id; empty = generated at first start" }),
    secret: Type.String({ default: "", description: "Root access key secret; empty = generated at first start" }),
  }),
  adminPassword: Type.String({ default: "", description: "Password of the console user `admin`; empty = generated at first start" }),
  plain: Type.Union([Type.Literal("off"), Type.Literal("users"), Type.Literal("anonymous")], {
    default: "off",
    description: "Generic MQTT clients: `off`, `users`, `anonymous` (development only)",
  }),
  store: Type.String({ default: "sqlite", description: "`sqlite`" }),
  journal: Type.Union([Type.Literal("sqlite"), Type.Literal("memory")], {
    default: "sqlite",
    description: "Where persistent sessions and what is owed to them are kept: `sqlite` (journal.db), `memory` (a crash loses them)",
  }),
  cluster: Type.String({ default: "", description: "Empty: one node" }),
  region: Type.String({ default: "cn-shanghai", description: "Region id told to vendor SDKs" }),
  alibaba: section({
    keepAlive: Type.Union([Type.Literal("lenient"), Type.Literal("strict")], {
      default: "lenient",
      description: "`lenient`: 30 s and more, counted as at most 1200 s. `strict`: 60–300 s, refused outside",
    }),
    lifecycleNotices: Type.Boolean({
      default: false,
      description: "Tell a connected device that it was disabled or deleted (`thing/disable`, `thing/delete`) before it is cut",
    }),
    instanceIds: Type.Array(Type.String(), { default: [], description: "IotInstanceId values that server programs may send; empty = any" }),
  }),
  aws: section({
    region: Type.String({
      default: "us-east-1",
      pattern: "^[a-z0-9-]{1,32}$",
      description: "Region of the AWS dialect: stands in ARNs, policies and signatures",
    }),
    accountId: Type.String({
      default: "000000000000",
      pattern: "^[0-9]{12}$",
      description: "Account of the AWS dialect, 12 digits: stands in ARNs and policies; a fleet that moves keeps its own",
    }),
    foreignArns: Type.Union([Type.Literal("accept"), Type.Literal("refuse")], {
      default: "accept",
      description:
        "Policies, requests and signatures that name another region or account: `accept` takes them for ours, as a fleet that moves brings them; `refuse` as the vendor",
    }),
    endpoint: Type.String({
      default: "",
      pattern: "^[a-zA-Z0-9.:-]*$",
      description: "Host name that DescribeEndpoint tells; empty = `host`",
    }),
    deniedConnect: Type.Union([Type.Literal("connack-5"), Type.Literal("close")], {
      default: "connack-5",
      description: "What an MQTT 3.1.1 client of the AWS dialect hears when it may not connect: CONNACK 5, or nothing as from the vendor",
    }),
    deniedSubscribe: Type.Union([Type.Literal("suback"), Type.Literal("close")], {
      default: "suback",
      description: "What happens on a filter that the policies refuse: a failure in the SUBACK, or the connection is closed",
    }),
    subscribeQos2: Type.Union([Type.Literal("grant-1"), Type.Literal("refuse")], {
      default: "grant-1",
      description: "A subscription with QoS 2, which the AWS dialect does not have: granted with QoS 1, or refused",
    }),
  }),
  tls: section({
    minVersion: Type.Union([Type.Literal("TLSv1"), Type.Literal("TLSv1.1"), Type.Literal("TLSv1.2"), Type.Literal("TLSv1.3")], {
      default: "TLSv1.2",
      description: "Oldest TLS version on device ports",
    }),
    clientCertificates: Type.Union([Type.Literal("auto"), Type.Literal("x509-hosts"), Type.Literal("always"), Type.Literal("never")], {
      default: "auto",
      description:
        "Whom to ask for a certificate: `auto` all but clients that name a host of Alibaba Cloud, offer the protocol `mqtt`, or know no elliptic curves (old stacks may fail on the question); `x509-hosts` only who names a host `x509.…`; `always` everybody; `never` nobody",
    }),
    certificatePorts: Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), {
      default: [8883],
      description: "Ports on which `auto` asks clients without elliptic curves, too",
    }),
    legacyClients: Type.Boolean({
      default: true,
      description: "Let TLS 1.2 clients in that know only RSA key exchange, CBC or SHA-1 signatures",
    }),
  }),
  ota: section({
    downloadUrl: Type.String({
      default: "",
      description: "Begin of firmware links, e.g. `http://192.0.2.1:1883` or a proxy's address; empty = https://<host>:<a device port>",
    }),
  }),
  rules: section({
    webhookAllow: Type.Array(Type.String(), {
      default: [],
      description: "Private or loopback webhook targets that are allowed: host names, addresses or CIDR ranges",
    }),
  }),
  log: section({
    level: Type.Union([Type.Literal("debug"), Type.Literal("info"), Type.Literal("warn"), Type.Literal("error"), Type.Literal("silent")], {
      default: "info",
    }),
  }),
  limits: limitsSection(roomLimits),
});

type RawSettings = Static<typeof settingsSchema>;

/** All settings, checked, with defaults filled in. `limits` has one member per room. */
export type Settings = Omit<RawSettings, "limits"> & { limits: typeof roomLimits };

/** Settings whose value is never repeated in a message. */
export const secretPaths: readonly string[] = ["accessKey.secret", "adminPassword"];
