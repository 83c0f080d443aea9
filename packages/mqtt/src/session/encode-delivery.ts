/** The bytes of one delivery, as its client takes them. */
import { encodePublish, type Properties } from "../codec/index.ts";
import type { Link } from "./link.ts";
import type { OutgoingPublish } from "./outgoing-aliases.ts";

/** Undefined when the client does not take a packet of that size. */
export function encodeFor(link: Link, publish: OutgoingPublish): Buffer | undefined {
  if (link.aliases !== undefined) return link.aliases.encode(publish, link.clientPacketBytesMax);
  const { topic, payload, qos, isDuplicate, isRetained, packetId, properties } = publish;
  const bytes = encodePublish(topic, payload, qos, isDuplicate, isRetained, packetId, properties, link.version);
  return bytes.length > link.clientPacketBytesMax ? undefined : bytes;
}

export function withIdentifiers(properties: Properties | undefined, subscriptionIdentifiers: number[]): Properties {
  return { ...properties, subscriptionIdentifiers };
}
