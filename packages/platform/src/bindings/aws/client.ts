/** An AWS client that has proved who it is, and what it is judged by. */
import type { CompiledPolicies, ConnectAttribute } from "@thingstead/dialects";
import type { ConnectionFacts, ConnectPacket, Refusal } from "@thingstead/mqtt";
import type { ThingClientPrincipal } from "../../access/index.ts";
import type { PrincipalFacts } from "../../fleet/index.ts";

export interface Permissions {
  policies: CompiledPolicies;
  thing?: NonNullable<PrincipalFacts["thing"]>;
}

export interface ProvenClient {
  principal: ThingClientPrincipal;
  permissions: Permissions;
  /** The same as they are now; a refusal when the proof does not hold any more. */
  look(): Promise<Permissions | Refusal>;
  lifetimeSeconds?: number;
  refreshSeconds?: number;
}

/** `isSilent`: closed without an answer, as the vendor does. */
export interface ProofRefusal extends Refusal {
  isSilent?: true;
}

/** What policies may ask of a CONNECT. */
export interface ConnectContext {
  clientId: string;
  sourceIp: string;
  domainName?: string;
  connectAttributes: readonly ConnectAttribute[];
}

export function isRefusal(value: object): value is Refusal {
  return "code" in value;
}

export function connectContextOf(packet: ConnectPacket, { remoteAddress, tls }: ConnectionFacts): ConnectContext {
  const connectAttributes: ConnectAttribute[] = [];
  if (isPersistent(packet)) connectAttributes.push("PersistentConnect");
  if (packet.will !== undefined) connectAttributes.push("LastWill");
  return {
    clientId: packet.clientId,
    sourceIp: remoteAddress,
    ...(tls?.serverName === undefined ? {} : { domainName: tls.serverName }),
    connectAttributes,
  };
}

/** AWS reference 5.5: clean session 0, or an expiry above 0. */
function isPersistent({ protocolVersion, isCleanStart, properties }: ConnectPacket): boolean {
  return protocolVersion === 5 ? (properties?.sessionExpiryIntervalSeconds ?? 0) > 0 : !isCleanStart;
}

export function splitTarget(target: string): { path: string; rawQuery: string } {
  const mark = target.indexOf("?");
  return mark < 0 ? { path: target, rawQuery: "" } : { path: target.slice(0, mark), rawQuery: target.slice(mark + 1) };
}
