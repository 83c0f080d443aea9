/** What the modem asks of an MQTT 3.1.1 client. `mqtt-js-client.ts` answers with MQTT.js. */
import type { Duplex } from "node:stream";

export type Qos = 0 | 1 | 2;

export function isQos(value: number): value is Qos {
  return value === 0 || value === 1 || value === 2;
}

export interface MqttWill {
  topic: string;
  payload: Buffer;
  qos: Qos;
  isRetained: boolean;
}

export interface MqttConnectSettings {
  /** Already connected. */
  stream: Duplex;
  /** MQTT within WebSocket on that stream. */
  webSocket?: { host: string; port: number; path: string };
  clientId: string;
  username?: string;
  password?: string;
  keepAliveSeconds: number;
  isClean: boolean;
  will?: MqttWill;
  timeoutMilliseconds: number;
  packetBytesMax: number;
}

interface MqttEvents {
  message(topic: string, payload: Buffer, qos: Qos): void;
  /** The connection is over, whoever ended it. Not told when connecting failed. */
  closed(): void;
}

export interface MqttConnection {
  isSessionPresent: boolean;
  /** Resolves when the message is acknowledged as its QoS demands. */
  publish(topic: string, payload: Buffer, qos: Qos, isRetained: boolean): Promise<void>;
  /** Resolves when the server granted it. */
  subscribe(topic: string, qos: Qos): Promise<void>;
  unsubscribe(topic: string): Promise<void>;
  /** DISCONNECT and close. */
  end(): void;
  /** Closes without a word. */
  drop(): void;
}

export interface MqttClient {
  /** Rejects when the server refuses or does not answer. */
  connect(settings: MqttConnectSettings, events: MqttEvents): Promise<MqttConnection>;
}
