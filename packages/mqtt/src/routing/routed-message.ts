/**
 * One message on its way to its receivers: encoded once per version, QoS and retain flag, copied once if anybody keeps it.
 */
import { copyPublish, encodePublish, type Properties, type ProtocolVersion, packetIdOffset, type QoS } from "../codec/index.ts";
import type { KeptMessage } from "../ports.ts";
import type { Session } from "../session/session.ts";

/** Body of a received PUBLISH of 3.1 or 3.1.1 whose bytes can be sent on with the QoS they came with. True while the message is routed. */
export interface WireBody {
  buffer: Buffer;
  start: number;
  payloadStart: number;
  end: number;
}

export interface EncodedPublish {
  bytes: Buffer;
  /** Where the packet identifier goes; 0 for QoS 0. */
  idOffset: number;
}

const noPayload = new Uint8Array(0);

/** A view: making it is 5 % of a message that is only sent on. */
export function payloadOf(body: WireBody | undefined): Uint8Array {
  return body === undefined ? noPayload : body.buffer.subarray(body.payloadStart, body.end);
}

export class RoutedMessage {
  readonly topic: string;
  readonly payloadBytes: number;
  readonly qos: QoS;
  readonly isRetained: boolean;
  readonly properties: Properties | undefined;
  readonly receivedAt: number;
  readonly publisher: Session | undefined;
  readonly wireBody: WireBody | undefined;
  /** Many sessions get it: they share one encoding. */
  isForMany = false;
  #payload: Uint8Array | undefined;
  #latest: Buffer | undefined;
  #kept: KeptMessage | undefined;
  #passing: KeptMessage | undefined;
  #variants: (EncodedPublish | undefined)[] | undefined;

  /** Without a payload it is the end of the wire body, looked at when somebody asks: the usual receiver copies the whole body. */
  constructor(
    topic: string,
    payload: Uint8Array | undefined,
    qos: QoS,
    isRetained: boolean,
    properties: Properties | undefined,
    receivedAt: number,
    publisher?: Session,
    wireBody?: WireBody,
  ) {
    this.topic = topic;
    this.#payload = payload;
    this.payloadBytes = payload?.length ?? (wireBody === undefined ? 0 : wireBody.end - wireBody.payloadStart);
    this.qos = qos;
    this.isRetained = isRetained;
    this.properties = properties;
    this.receivedAt = receivedAt;
    this.publisher = publisher;
    this.wireBody = wireBody;
  }

  /** Valid as long as what it was received in. */
  get payload(): Uint8Array {
    this.#payload ??= payloadOf(this.wireBody);
    return this.#payload;
  }

  encoded(version: ProtocolVersion, qos: QoS, isRetained: boolean): EncodedPublish {
    const index = (version === 5 ? 6 : 0) + qos * 2 + (isRetained ? 1 : 0);
    this.#variants ??= [];
    let variant = this.#variants[index];
    if (variant === undefined) {
      const bytes = this.#encode(version, qos, isRetained);
      variant = { bytes, idOffset: qos === 0 ? 0 : packetIdOffset(bytes) };
      this.#variants[index] = variant;
      this.#latest = bytes;
    }
    return variant;
  }

  /** Every receiver's own packet identifier is written over the one that is in it: 1, or the publisher's. */
  #encode(version: ProtocolVersion, qos: QoS, isRetained: boolean): Buffer {
    const { wireBody } = this;
    if (wireBody !== undefined && version !== 5 && qos === this.qos) {
      const { buffer, start, end } = wireBody;
      return copyPublish(0x30 | (qos << 1) | (isRetained ? 1 : 0), buffer, start, end);
    }
    return encodePublish(this.topic, this.payload, qos, false, isRetained, qos === 0 ? 0 : 1, this.properties, version);
  }

  /** For whoever copies it at once: its payload is valid as long as what it was received in. */
  passing(): KeptMessage {
    this.#passing ??= { topic: this.topic, payload: this.payload, properties: this.properties, receivedAt: this.receivedAt };
    return this.#passing;
  }

  keep(): KeptMessage {
    this.#kept ??= {
      topic: this.topic,
      payload: this.#ownPayload(),
      properties: this.properties === undefined ? undefined : keepProperties(this.properties),
      receivedAt: this.receivedAt,
    };
    return this.#kept;
  }

  /** The end of an encoding is the payload in memory of our own: whoever encodes before keeping spares a copy. */
  #ownPayload(): Buffer {
    const encoded = this.#latest;
    if (encoded === undefined) return copyBytes(this.payload);
    return encoded.subarray(encoded.length - this.payloadBytes);
  }
}

function copyBytes(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Correlation data is the one property that is a view into the read buffer. */
export function keepProperties(properties: Properties): Properties {
  const { correlationData } = properties;
  return correlationData === undefined ? properties : { ...properties, correlationData: Buffer.from(correlationData) };
}

/** [MQTT-3.3.2-6] The expiry interval sent on is what remains of it. Undefined when the message has expired. */
export function remainingProperties(message: KeptMessage, now: number): { properties: Properties | undefined } | undefined {
  const seconds = message.properties?.messageExpiryIntervalSeconds;
  if (seconds === undefined) return { properties: message.properties };
  const remaining = Math.ceil(seconds - (now - message.receivedAt) / 1000);
  // [MQTT-3.3.2-5] An expired message must not be delivered.
  if (remaining <= 0) return undefined;
  return { properties: { ...message.properties, messageExpiryIntervalSeconds: remaining } };
}
