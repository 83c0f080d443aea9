/** What an MQTT connection will be like. [ESP-AT 2.2 to 2.5] */
import { AtError, mqttError } from "../at-error.ts";
import { type CommandDefinition, integer, optional, type Parameter, text } from "../command.ts";
import type { ModemParts } from "../modem-parts.ts";
import { schemeMax } from "../mqtt-scheme.ts";
import type { MqttUser } from "../mqtt-session.ts";
import { isQos } from "../ports/mqtt-client.ts";

export const linkId: Parameter = integer("linkId", 0, 0, { failures: { read: "linkIdReadFailed", value: "linkIdValueIsWrong" } });

const longBytesMax = 1_024;
const credentialBytesMax = 64;
const keepAliveSecondsDefault = 120;
const alpnsMax = 5;

const userNames = { clientId: "MQTTLONGCLIENTID", username: "MQTTLONGUSERNAME", password: "MQTTLONGPASSWORD" } as const;
const inlineNames = { clientId: "MQTTCLIENTID", username: "MQTTUSERNAME", password: "MQTTPASSWORD" } as const;
type UserField = keyof typeof userNames;
const userFields: readonly UserField[] = ["clientId", "username", "password"];

const userParameters: Readonly<Record<UserField, Parameter>> = {
  clientId: text("clientId", 256, {
    failures: { read: "clientIdReadFailed", missing: "clientIdIsNull", length: "clientIdIsOverlength" },
  }),
  username: text("username", credentialBytesMax, {
    failures: { read: "usernameReadFailed", missing: "usernameIsNull", length: "usernameIsOverlength" },
  }),
  password: text("password", credentialBytesMax, {
    failures: { read: "passwordReadFailed", missing: "passwordIsNull", length: "passwordIsOverlength" },
  }),
};

/** `>` and then the value: longer than a line, and raw. */
const longCommands = userFields.map(
  (field): CommandDefinition => ({
    name: `+${userNames[field]}`,
    since: "v3.2",
    set: {
      parameters: [linkId, integer("length", 1, longBytesMax, { failures: { read: "recvLengthIsWrong", value: "recvLengthIsWrong" } })],
      run(call) {
        call.modem.mqtt.needConfiguration();
        return call.prompt(call.parameters.integer("length")).then((bytes) => call.modem.mqtt.changeUser(change(field, bytes.toString())));
      },
    },
  }),
);

/** The older way, in the line. */
const inlineCommands = userFields.map(
  (field): CommandDefinition => ({
    name: `+${inlineNames[field]}`,
    set: {
      parameters: [linkId, userParameters[field]],
      run: ({ modem, parameters }) => modem.mqtt.changeUser(change(field, parameters.string(field))),
    },
  }),
);

function change(field: UserField, value: string): Partial<MqttUser> {
  return { [field]: value };
}

const connectionParameters = ({ profile }: ModemParts): readonly Parameter[] => [
  linkId,
  integer("keepAliveSeconds", 0, 7200, {
    failures: { read: "keepaliveReadFailed", missing: "keepaliveIsNull", value: "keepaliveValueIsWrong" },
  }),
  integer("isPersistent", 0, 1, { failures: { read: "disableCleanSessionReadFailed", value: "disableCleanSessionValueIsWrong" } }),
  text("lwtTopic", 128, { failures: { read: "lwtTopicReadFailed", missing: "lwtTopicIsNull", length: "lwtTopicIsOverlength" } }),
  text("lwtMessage", profile.lwtMessageBytesMax, {
    failures: { read: "lwtMsgReadFailed", missing: "lwtMsgIsNull", length: "lwtMsgIsOverlength" },
  }),
  integer("lwtQos", 0, 2, { failures: { read: "lwtQosReadFailed", value: "lwtQosValueIsWrong" } }),
  integer("lwtRetain", 0, 1, { failures: { read: "lwtRetainReadFailed", value: "lwtRetainValueIsWrong" } }),
];

export const mqttConfigCommands: readonly CommandDefinition[] = [
  {
    name: "+MQTTUSERCFG",
    // Later manuals leave the query out; the firmware kept it.
    query({ modem }) {
      const { user } = modem.mqtt;
      if (user === undefined) throw mqttError("noConfigured");
      modem.output.line(`+MQTTUSERCFG:0,${user.scheme},"${user.clientId}","${user.username}","${user.password}",0,0,"${user.path}"`);
    },
    set: {
      parameters: [
        linkId,
        integer("scheme", 1, schemeMax, { failures: { read: "schemeReadFailed", value: "schemeValueIsWrong" } }),
        userParameters.clientId,
        userParameters.username,
        userParameters.password,
        integer("certKeyId", 0, 0, { failures: { read: "certKeyIdReadFailed", value: "certKeyIdValueIsWrong" } }),
        integer("caId", 0, 0, { failures: { read: "caIdReadFailed", value: "caIdValueIsWrong" } }),
        text("path", 32, { failures: { read: "pathReadFailed", missing: "pathIsNull", length: "pathIsOverlength" } }),
      ],
      run: ({ modem, parameters }) =>
        modem.mqtt.configureUser({
          scheme: parameters.integer("scheme"),
          clientId: parameters.string("clientId"),
          username: parameters.string("username"),
          password: parameters.string("password"),
          path: parameters.string("path"),
        }),
    },
  },
  ...longCommands,
  ...inlineCommands,
  {
    name: "+MQTTCONNCFG",
    set: {
      parameters: connectionParameters,
      run({ modem, parameters }) {
        const topic = parameters.string("lwtTopic");
        const qos = parameters.integer("lwtQos");
        if (!isQos(qos)) throw mqttError("lwtQosValueIsWrong");
        const will = { topic, payload: parameters.bytes("lwtMessage"), qos, isRetained: parameters.integer("lwtRetain") === 1 };
        modem.mqtt.configureConnection({
          keepAliveSeconds: parameters.integer("keepAliveSeconds") || keepAliveSecondsDefault,
          isPersistent: parameters.integer("isPersistent") === 1,
          ...(topic === "" ? {} : { will }),
        });
      },
    },
  },
  {
    name: "+MQTTALPN",
    since: "v3.2",
    set: {
      parameters: [linkId, integer("count", 0, alpnsMax), text("alpn", 255, { ...optional, isRepeated: true })],
      run({ modem, parameters }) {
        const alpn = parameters.strings();
        if (alpn.length !== parameters.integer("count"))
          throw new AtError("parameterCount", (2 + parameters.integer("count")) * 256 + 2 + alpn.length);
        modem.mqtt.configureTls({ alpn });
      },
    },
  },
  {
    name: "+MQTTSNI",
    since: "v4.1",
    set: {
      parameters: [linkId, text("sni", 128, { bytesMin: 1 })],
      run: ({ modem, parameters }) => modem.mqtt.configureTls({ sni: parameters.string("sni") }),
    },
  },
];
