/** A script of packets, run against any broker, and what its clients saw: one line a packet, comparable between brokers. */
import { RawMqttClient, type RawPacket } from "./raw-mqtt-client.ts";

export type Step =
  | { wait: number }
  | [client: string, action: "connect" | "send", packet: object]
  /** A stream without a CONNECT. */
  | [client: string, action: "open", version: 3 | 4 | 5]
  | [client: string, action: "bytes", hex: string]
  | [client: string, action: "drop"];

export interface Scenario {
  name: string;
  /** Clause ids it exercises. */
  clauses: readonly string[];
  steps: readonly Step[];
}

/** How long nothing may have happened before the next step. */
const quietMilliseconds = 150;

/** Sizes and counts that each server chooses for itself. */
const serverChoices = new Set(["maximumPacketSize", "receiveMaximum", "topicAliasMaximum", "serverKeepAlive", "reasonString"]);
const shown = ["sessionPresent", "messageId", "topic", "qos", "retain", "dup", "reasonCode", "returnCode", "granted"] as const;

/** Runs the steps; client ids and topics are the scenario's own. */
export async function runScenario({ steps }: Scenario, port: number): Promise<string[]> {
  const clients = new Map<string, RawMqttClient>();
  const closed = new Set<RawMqttClient>();
  const seen: string[] = [];

  async function settle(): Promise<void> {
    const began = performance.now();
    for (;;) {
      const latest = Math.max(began, ...[...clients.values()].map(({ lastActivityAt }) => lastActivityAt));
      const quiet = performance.now() - latest;
      if (quiet >= quietMilliseconds) return;
      await new Promise((resolve) => setTimeout(resolve, quietMilliseconds - quiet + 5));
    }
  }

  function note(step: number): void {
    for (const [name, client] of [...clients].sort(([one], [other]) => one.localeCompare(other))) {
      for (const packet of client.take()) seen.push(`${step} ${name} <- ${describe(packet)}`);
      if (client.isClosed && !closed.has(client)) {
        closed.add(client);
        seen.push(`${step} ${name} closed`);
      }
    }
  }

  async function act(step: Exclude<Step, { wait: number }>): Promise<void> {
    const [name] = step;
    switch (step[1]) {
      case "open":
        clients.set(name, await RawMqttClient.open(port, step[2]));
        return;
      case "connect":
        await open(name, step[2]);
        return;
      case "send":
        known(name).send(step[2]);
        return;
      case "bytes":
        known(name).bytes(Buffer.from(step[2].replaceAll(" ", ""), "hex"));
        return;
      case "drop":
        closed.add(known(name));
        known(name).drop();
    }
  }

  function known(name: string): RawMqttClient {
    const client = clients.get(name);
    if (client === undefined) throw new Error(`no client ${name}`);
    return client;
  }

  async function open(name: string, packet: object): Promise<void> {
    const wanted = "protocolVersion" in packet ? packet.protocolVersion : 4;
    const version = wanted === 5 || wanted === 3 ? wanted : 4;
    const client = await RawMqttClient.open(port, version);
    // An older connection of the same name is watched under another one.
    const older = clients.get(name);
    if (older !== undefined && !older.isClosed) clients.set(`${name}'`, older);
    clients.set(name, client);
    const protocolId = version === 3 ? "MQIsdp" : "MQTT";
    client.send({ cmd: "connect", protocolId, protocolVersion: 4, clean: true, keepalive: 0, ...packet });
  }

  try {
    for (const [index, step] of steps.entries()) {
      if ("wait" in step) await new Promise((resolve) => setTimeout(resolve, step.wait));
      else await act(step);
      await settle();
      note(index + 1);
    }
    return seen;
  } finally {
    for (const client of clients.values()) client.drop();
  }
}

function describe(packet: RawPacket): string {
  const parts = shown
    .filter((key) => packet[key] !== undefined && packet[key] !== null)
    .map((key) => `${key}=${JSON.stringify(packet[key])}`);
  if (packet.cmd === "publish") parts.push(`payload=${String(packet.payload)}`);
  const properties = describeProperties(packet.properties);
  return [packet.cmd, ...parts, ...(properties === "" ? [] : [properties])].join(" ");
}

function describeProperties(properties: unknown): string {
  if (typeof properties !== "object" || properties === null) return "";
  const entries = Object.entries(properties).filter(([name]) => !serverChoices.has(name));
  return entries
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, value]) => {
      // What remains of an interval depends on the moment; that it is sent on is what counts.
      if (name === "messageExpiryInterval") return `${name}>0`;
      if (name === "assignedClientIdentifier") return `${name}=<some>`;
      return `${name}=${Buffer.isBuffer(value) ? value.toString() : JSON.stringify(value)}`;
    })
    .join(" ");
}
