/** MQTT by MQTT.js. Reconnecting and subscribing again are left to the modem. */
import { connect, type IClientOptions, MqttClient } from "mqtt";
import { PacketGuard } from "./packet-guard.ts";
import type { MqttClient as MqttClientPort, MqttConnectSettings, Qos } from "./ports/mqtt-client.ts";

export const mqttJsClient: MqttClientPort = {
  connect(settings, events) {
    return new Promise((resolve, reject) => {
      const client = createClient(settings);
      const guard = new PacketGuard(settings.packetBytesMax);
      if (settings.webSocket === undefined) {
        settings.stream.on("data", (chunk: Buffer) => {
          if (!guard.admits(chunk)) settings.stream.destroy(new Error(`a packet of more than ${settings.packetBytesMax} bytes`));
        });
      }
      // What is unanswered when the connection ends will never be.
      const unanswered = new Set<(error: Error) => void>();
      const ask = <T>(start: (done: (error: Error | null | undefined, answer?: T) => void) => void): Promise<T | undefined> =>
        new Promise((answer, fail) => {
          unanswered.add(fail);
          start((error, value) => {
            unanswered.delete(fail);
            if (error === null || error === undefined) answer(value);
            else fail(error);
          });
        });
      let isConnected = false;
      const refuse = (error: Error) => {
        reject(error);
        if (!isConnected) client.end(true);
        // What cannot be understood ends the connection; "close" tells.
        else settings.stream.destroy();
      };
      client.on("error", refuse);
      client.on("close", () => {
        refuse(new Error("the connection was closed"));
        for (const fail of unanswered) fail(new Error("the connection was closed"));
        unanswered.clear();
        if (!isConnected) return;
        isConnected = false;
        client.end(true);
        events.closed();
      });
      client.on("message", (topic, payload, packet) => events.message(topic, payload, packet.qos));
      client.once("connect", ({ sessionPresent }) => {
        isConnected = true;
        resolve({
          isSessionPresent: sessionPresent,
          async publish(topic, payload, qos, isRetained) {
            await ask((done) => client.publish(topic, payload, { qos, retain: isRetained }, done));
          },
          async subscribe(topic, qos) {
            const grants = await ask<{ qos: number }[]>((done) => client.subscribe(topic, { qos }, done));
            if (grants?.some((grant) => grant.qos > 2) !== false) throw new Error(`the server refused ${topic}`);
          },
          async unsubscribe(topic) {
            await ask((done) => client.unsubscribe(topic, {}, done));
          },
          end() {
            isConnected = false;
            client.end(false);
          },
          drop() {
            isConnected = false;
            client.end(true);
          },
        });
      });
    });
  },
};

function createClient(settings: MqttConnectSettings): MqttClient {
  const { stream, webSocket, will } = settings;
  const options: IClientOptions = {
    protocolId: "MQTT",
    protocolVersion: 4,
    clientId: settings.clientId,
    clean: settings.isClean,
    keepalive: settings.keepAliveSeconds,
    reconnectPeriod: 0,
    connectTimeout: settings.timeoutMilliseconds,
    resubscribe: false,
    queueQoSZero: false,
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...(will === undefined
      ? {}
      : { will: { topic: will.topic, payload: will.payload, qos: will.qos satisfies Qos, retain: will.isRetained } }),
  };
  if (webSocket === undefined) return new MqttClient(() => stream, options);
  const host = webSocket.host.includes(":") ? `[${webSocket.host}]` : webSocket.host;
  return connect(`ws://${host}:${webSocket.port}${webSocket.path}`, {
    ...options,
    wsOptions: { createConnection: () => stream, maxPayload: settings.packetBytesMax },
  });
}
