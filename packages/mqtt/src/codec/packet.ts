/**
 * The MQTT control packets as data, for 3.1 (level 3), 3.1.1 (level 4) and 5.0 (level 5).
 *
 * One shape serves all versions: fields that a version does not have are absent. Payload-like fields are views into the
 * bytes they were decoded from; whoever keeps one beyond the callback copies it.
 *
 * Source: OASIS MQTT 3.1.1 and 5.0, section 3 of each.
 */

export type ProtocolVersion = 3 | 4 | 5;
export type QoS = 0 | 1 | 2;

/** MQTT 5 properties by name. Absent means "not on the wire", never the default. [MQTT-2.2.2] */
export interface Properties {
  payloadFormatIndicator?: 0 | 1;
  messageExpiryIntervalSeconds?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  /** On PUBLISH from the server there may be several; on SUBSCRIBE at most one. */
  subscriptionIdentifiers?: number[];
  sessionExpiryIntervalSeconds?: number;
  assignedClientIdentifier?: string;
  serverKeepAliveSeconds?: number;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
  requestProblemInformation?: 0 | 1;
  willDelayIntervalSeconds?: number;
  requestResponseInformation?: 0 | 1;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  receiveMaximum?: number;
  topicAliasMaximum?: number;
  topicAlias?: number;
  maximumQoS?: 0 | 1;
  retainAvailable?: 0 | 1;
  /** Order kept, names may repeat. */
  userProperties?: [name: string, value: string][];
  maximumPacketSizeBytes?: number;
  wildcardSubscriptionAvailable?: 0 | 1;
  subscriptionIdentifierAvailable?: 0 | 1;
  sharedSubscriptionAvailable?: 0 | 1;
}

export interface Will {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  isRetained: boolean;
  properties?: Properties;
}

export interface ConnectPacket {
  type: "connect";
  protocolVersion: ProtocolVersion;
  /** The bridge bit (0x80 on the protocol level) that mosquitto bridges set on 3.1 and 3.1.1. */
  isBridge?: boolean;
  clientId: string;
  isCleanStart: boolean;
  keepAliveSeconds: number;
  userName?: string;
  password?: Uint8Array;
  will?: Will;
  properties?: Properties;
}

export interface ConnackPacket {
  type: "connack";
  isSessionPresent: boolean;
  /** 3.x: return code 0–5. 5.0: reason code. */
  reasonCode: number;
  properties?: Properties;
}

export interface PublishPacket {
  type: "publish";
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  isDuplicate: boolean;
  isRetained: boolean;
  /** Present exactly when qos > 0. */
  packetId?: number;
  properties?: Properties;
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP share one layout. */
export interface PublishReplyPacket {
  type: "puback" | "pubrec" | "pubrel" | "pubcomp";
  packetId: number;
  /** 5.0 only; absent means 0x00. */
  reasonCode?: number;
  properties?: Properties;
}

export interface Subscription {
  filter: string;
  qos: QoS;
  /** 5.0 subscription options; false/0 for 3.x. */
  isNoLocal: boolean;
  isRetainAsPublished: boolean;
  retainHandling: 0 | 1 | 2;
}

export interface SubscribePacket {
  type: "subscribe";
  packetId: number;
  subscriptions: Subscription[];
  properties?: Properties;
}

export interface SubackPacket {
  type: "suback";
  packetId: number;
  reasonCodes: number[];
  properties?: Properties;
}

export interface UnsubscribePacket {
  type: "unsubscribe";
  packetId: number;
  filters: string[];
  properties?: Properties;
}

export interface UnsubackPacket {
  type: "unsuback";
  packetId: number;
  /** 5.0 only; empty for 3.x. */
  reasonCodes: number[];
  properties?: Properties;
}

export interface PingreqPacket {
  type: "pingreq";
}
export interface PingrespPacket {
  type: "pingresp";
}

export interface DisconnectPacket {
  type: "disconnect";
  /** 5.0 only; absent means 0x00. */
  reasonCode?: number;
  properties?: Properties;
}

/** 5.0 only. */
export interface AuthPacket {
  type: "auth";
  reasonCode: number;
  properties?: Properties;
}

export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | PublishReplyPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;
