/** Connecting, publishing, subscribing. [ESP-AT 2.6 to 2.11] */
import { mqttError } from "../at-error.ts";
import { type Call, type CommandDefinition, integer, type Parameter, text } from "../command.ts";
import { isQos, type Qos } from "../ports/mqtt-client.ts";
import { linkId } from "./mqtt-config.ts";

const topic = text("topic", 128, {
  bytesMin: 1,
  failures: { read: "topicReadFailed", missing: "topicIsNull", length: "topicIsOverlength" },
});
const qosParameter = integer("qos", 0, 2, { failures: { read: "qosReadFailed", value: "qosValueIsWrong" } });
const retain = integer("retain", 0, 1, { failures: { read: "retainReadFailed", value: "retainValueIsWrong" } });
/** Of the newest firmware; every version takes it here. */
const timeout: Parameter = integer("timeout", 3_000, 60_000, { isOptional: true });

const qosOf = ({ parameters }: Call): Qos => {
  const qos = parameters.integer("qos");
  if (!isQos(qos)) throw mqttError("qosValueIsWrong");
  return qos;
};
const timeoutOf = ({ modem, parameters }: Call): number => parameters.integer("timeout", modem.limits.networkMilliseconds);

export const mqttCommands: readonly CommandDefinition[] = [
  {
    name: "+MQTTCONN",
    query({ modem }) {
      const { state, user, target } = modem.mqtt;
      const scheme = user?.scheme ?? 0;
      const path = user === undefined || scheme <= 5 ? "" : `/${user.path}`;
      const shown = target === undefined ? '"","","",0' : `"${target.host}","${target.port}","${path}",${target.reconnects ? 1 : 0}`;
      modem.output.line(`+MQTTCONN:0,${state},${scheme},${shown}`);
    },
    set: {
      parameters: [
        linkId,
        text("host", 128, { bytesMin: 1, failures: { read: "hostReadFailed", missing: "hostIsNull", length: "hostIsOverlength" } }),
        integer("port", 1, 65_535, { failures: { read: "portReadFailed", value: "portValueIsWrong" } }),
        integer("reconnect", 0, 1, { failures: { read: "reconnectReadFailed", value: "reconnectValueIsWrong" } }),
        timeout,
      ],
      run(call) {
        const { modem, parameters } = call;
        const reconnects = parameters.integer("reconnect") === 1;
        return modem.mqtt.connect({ host: parameters.string("host"), port: parameters.integer("port"), reconnects }, timeoutOf(call));
      },
    },
  },
  {
    name: "+MQTTPUB",
    set: {
      parameters: [
        linkId,
        topic,
        text("data", 1_024, { failures: { read: "dataReadFailed", missing: "dataIsNull", length: "dataIsOverlength" } }),
        qosParameter,
        retain,
        timeout,
      ],
      run(call) {
        const { modem, parameters } = call;
        const isRetained = parameters.integer("retain") === 1;
        return modem.mqtt.publish(parameters.string("topic"), parameters.bytes("data"), qosOf(call), isRetained, timeoutOf(call));
      },
    },
  },
  {
    name: "+MQTTPUBRAW",
    set: {
      parameters: [
        linkId,
        topic,
        integer("length", 1, 0x7fffffff, { failures: { read: "publishLengthReadFailed", value: "publishLengthValueIsWrong" } }),
        qosParameter,
        retain,
        timeout,
      ],
      run: (call) => publishRaw(call),
    },
  },
  {
    name: "+MQTTSUB",
    query({ modem }) {
      const { state, topics } = modem.mqtt;
      if (topics.size === 0) modem.output.line(`+MQTTSUB:0,${state},"",0`);
      for (const [name, qos] of topics) modem.output.line(`+MQTTSUB:0,${state},"${name}",${qos}`);
    },
    set: {
      parameters: [linkId, topic, qosParameter, timeout],
      run: (call) => call.modem.mqtt.subscribe(call.parameters.string("topic"), qosOf(call), timeoutOf(call)),
    },
  },
  {
    name: "+MQTTUNSUB",
    set: {
      parameters: [linkId, topic, timeout],
      run: (call) => call.modem.mqtt.unsubscribe(call.parameters.string("topic"), timeoutOf(call)),
    },
  },
  {
    name: "+MQTTCLEAN",
    set: { parameters: [linkId], run: ({ modem }) => modem.mqtt.clean() },
  },
];

/** The result is +MQTTPUB:OK or +MQTTPUB:FAIL; ERROR only before the prompt. */
async function publishRaw(call: Call): Promise<void> {
  const { modem, parameters } = call;
  const { mqtt, heap, limits, output } = modem;
  mqtt.needConnection();
  const length = parameters.integer("length");
  if (length > limits.promptBytesMax) throw mqttError("publishLengthValueIsWrong");
  const giveHeap = heap.take(length, () => mqttError("mallocFailed"));
  try {
    const payload = await call.prompt(length);
    call.withoutResult();
    await mqtt.publish(parameters.string("topic"), payload, qosOf(call), parameters.integer("retain") === 1, timeoutOf(call));
    output.line("+MQTTPUB:OK");
  } catch (error) {
    if (!(error instanceof Error) || call.hasResult) throw error;
    output.line("+MQTTPUB:FAIL");
  } finally {
    giveHeap();
  }
}
