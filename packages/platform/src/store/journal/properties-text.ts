/** Properties as text: the two members that are bytes are written in base64. */
import type { Properties } from "@thingstead/mqtt";

const byteMembers = ["correlationData", "authenticationData"] as const;

export function formatProperties(properties: Properties): string {
  const { correlationData, authenticationData } = properties;
  if (correlationData === undefined && authenticationData === undefined) return JSON.stringify(properties);
  const written: Record<string, unknown> = { ...properties };
  for (const name of byteMembers) {
    const bytes = properties[name];
    if (bytes !== undefined) written[name] = Buffer.from(bytes).toString("base64");
  }
  return JSON.stringify(written);
}

/** Of text that `formatProperties` made. */
export function parseProperties(text: string): Properties {
  const read = JSON.parse(text) as Properties & Record<(typeof byteMembers)[number], unknown>;
  for (const name of byteMembers) {
    const written = read[name];
    if (typeof written === "string") read[name] = Buffer.from(written, "base64");
  }
  return read;
}
