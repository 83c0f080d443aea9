/** CONNECT, step by step. [MQTT-3.1.4] */
import { type ConnectPacket, encodePacket, type Properties } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import { packetBytesMaxOf } from "../limits.ts";
import type { Admission, ConnectRefusal } from "../ports.ts";
import { type Authentication, authenticationOf } from "./authentication.ts";
import type { ActiveOptions, ClientConnection } from "./client-connection.ts";
import { OutgoingAliases } from "./outgoing-aliases.ts";
import type { Session } from "./session.ts";
import { expirySecondsOf } from "./session-registry.ts";
import { reauthoriseSubscriptions } from "./subscribe.ts";

const assignedIdBytes = 12;
const neverSeconds = 0xffff_ffff;
const receiveMaximumDefault = 0xffff;

/**
 * name the client -> ask the gatekeeper -> claim the identity -> take over -> open the session -> answer.
 * Where nothing has to be waited for, all of it happens during the call and nothing is returned.
 */
export function handleConnect(engine: Engine, connection: ClientConnection, received: ConnectPacket): Promise<void> | undefined {
  const early = refuseEarly(received);
  if (early !== undefined) return void connection.refuse(received, early);
  const packet = nameClient(engine, received);
  const authentication = authenticationOf(engine, packet, connection.facts);
  const asked: Asked = { engine, connection, packet, authentication, isAssigned: packet !== received };
  const answer = authentication?.connect(connection) ?? engine.gatekeeper.connect(packet, connection.facts);
  return answer instanceof Promise ? answer.then((later) => hearAnswer(asked, later)) : hearAnswer(asked, answer);
}

/** A CONNECT on its way through the steps. */
interface Asked {
  engine: Engine;
  connection: ClientConnection;
  /** With the identifier that the client has from now on. */
  packet: ConnectPacket;
  authentication: Authentication | undefined;
  isAssigned: boolean;
}

function hearAnswer(asked: Asked, answer: Admission | ConnectRefusal | undefined): Promise<void> | undefined {
  const { engine, connection, packet } = asked;
  if (answer === undefined || !connection.isAuthenticating) return;
  if ("code" in answer) return void connection.refuse(packet, answer);
  const willRefusal = refuseWill(packet, answer);
  if (willRefusal !== undefined) return void connection.refuse(packet, willRefusal);
  if (engine.sessions.get(answer.sessionId) === undefined && engine.sessions.size >= engine.limits.sessionsMax) {
    return void connection.refuse(packet, sessionsExceeded(engine.limits.sessionsMax));
  }
  if (engine.peers.isAlone === true) return openSession(asked, answer);
  return engine.peers.claimSession(answer.sessionId).then(() => {
    return connection.isAuthenticating ? openSession(asked, answer) : undefined;
  });
}

function openSession(asked: Asked, admission: Admission): Promise<void> | undefined {
  const { engine, connection, packet } = asked;
  // [MQTT-3.1.4-3] The older connection of the same identity is closed before the new one is announced.
  engine.sessions.get(admission.sessionId)?.link?.close("taken_over");
  const { session, isPresent, isOwed } = engine.sessions.open(admission, packet);
  session.claimant = connection;
  session.isAddressable = admission.isAddressable === true;
  session.implicitFilters = filtersOf(admission);
  // What was allowed when the client was here last may not be allowed now.
  if (isPresent) reauthoriseSubscriptions(engine, session);
  subscribeImplicitly(engine, session, admission);
  if (!isOwed) return void answer(asked, admission, session, isPresent);
  return isCommitted(engine, connection, session).then((isOurs) => {
    if (isOurs) answer(asked, admission, session, isPresent);
  });
}

function answer(
  { engine, connection, packet, authentication, isAssigned }: Asked,
  admission: Admission,
  session: Session,
  isPresent: boolean,
) {
  const connack = encodeConnack(engine, packet, admission, isPresent, isAssigned, authentication);
  const options = activeOptions(packet, admission, engine.clock.now());
  // [MQTT-3.1.2-24] What it must be told does not fit what it takes.
  if (connack.length > options.clientPacketBytesMax) {
    connection.refuse(packet, connackTooLarge(connack.length, options.clientPacketBytesMax));
    engine.sessions.detach(session);
    return;
  }
  connection.activate(session, { ...options, authentication }, isPresent, connack);
}

/** What CONNACK says of the session must be safe. False when the session went to somebody else meanwhile, or the client away. */
async function isCommitted(engine: Engine, connection: ClientConnection, session: Session): Promise<boolean> {
  await new Promise<void>((committed) => engine.turn.awaitCommit({ committed }));
  if (session.claimant !== connection) connection.close(session.isEnded ? "kicked" : "taken_over");
  else if (!connection.isAuthenticating) engine.sessions.detach(session);
  return connection.isAuthenticating;
}

/** What can be refused without knowing the client. */
function refuseEarly(packet: ConnectPacket): ConnectRefusal | undefined {
  // [MQTT-3.1.3-8] In 3.1.1 only a clean session may go without an identifier; 3.1 always needs one.
  const isNameless = packet.clientId === "" && (packet.protocolVersion === 3 || (packet.protocolVersion === 4 && !packet.isCleanStart));
  if (!isNameless) return undefined;
  return {
    code: "mqtt.client_id_missing",
    received: "empty client id",
    expected: "[MQTT-3.1.3-8] a client id",
    returnCode: 2,
    reasonCode: 0x85,
  };
}

/** What MQTT 5 clients are told in CONNACK holds for their will too; one that is ignored anyway harms nobody. */
function refuseWill({ protocolVersion, will }: ConnectPacket, { behaviour }: Admission): ConnectRefusal | undefined {
  if (protocolVersion !== 5 || will === undefined || behaviour.will === "ignore") return undefined;
  // [MQTT-3.2.2-12] A will above the maximum QoS is refused.
  if (will.qos > behaviour.qosMax) {
    const expected = `at most QoS ${behaviour.qosMax}`;
    return { code: "mqtt.will_qos_not_supported", received: `QoS ${will.qos}`, expected, returnCode: 5, reasonCode: 0x9b };
  }
  // [MQTT-3.2.2-13] So is a retained one where nothing is retained.
  if (!will.isRetained || behaviour.retain === "store") return undefined;
  return { code: "mqtt.will_retain_not_supported", received: "RETAIN 1", expected: "RETAIN 0", returnCode: 5, reasonCode: 0x9a };
}

/** [MQTT-3.1.3-6] A client without an identifier is given one. */
function nameClient(engine: Engine, packet: ConnectPacket): ConnectPacket {
  if (packet.clientId !== "") return packet;
  return { ...packet, clientId: `auto-${Buffer.from(engine.random.bytes(assignedIdBytes)).toString("hex")}` };
}

function sessionsExceeded(sessionsMax: number): ConnectRefusal {
  return {
    code: "mqtt.sessions_exceeded",
    received: `session ${sessionsMax + 1}`,
    expected: `at most ${sessionsMax} sessions`,
    returnCode: 3,
    reasonCode: 0x97,
  };
}

function connackTooLarge(bytes: number, bytesMax: number): ConnectRefusal {
  return {
    code: "mqtt.client_packet_size_too_small",
    received: `${bytesMax} bytes`,
    expected: `[MQTT-3.1.2-24] a Maximum Packet Size of ${bytes} bytes or more`,
    returnCode: 5,
    reasonCode: 0x95,
  };
}

function activeOptions(packet: ConnectPacket, admission: Admission, connectedAt: number): Omit<ActiveOptions, "authentication"> {
  const { properties } = packet;
  const receiveMaximum = properties?.receiveMaximum ?? receiveMaximumDefault;
  // [MQTT-3.1.2-26] [MQTT-3.1.2-27] No more aliases than the client takes; none when it did not say.
  const aliasesMax = Math.min(properties?.topicAliasMaximum ?? 0, admission.behaviour.topicAliasMax);
  return {
    clientId: packet.clientId,
    isCleanStart: packet.isCleanStart,
    connectedAt,
    keepAliveSeconds: admission.keepAliveSeconds,
    // [MQTT-3.3.4-9] Neither the client's Receive Maximum nor our own window is exceeded.
    window: Math.min(admission.behaviour.inflightMax, receiveMaximum),
    clientPacketBytesMax: properties?.maximumPacketSizeBytes ?? Number.POSITIVE_INFINITY,
    will: admission.behaviour.will === "publish" ? packet.will : undefined,
    aliases: aliasesMax > 0 ? new OutgoingAliases(aliasesMax) : undefined,
    isProblemWanted: properties?.requestProblemInformation !== 0,
  };
}

const noFilters: ReadonlySet<string> = new Set();

function filtersOf({ implicitSubscriptions }: Admission): ReadonlySet<string> {
  return implicitSubscriptions === undefined ? noFilters : new Set(implicitSubscriptions.map(({ filter }) => filter));
}

/** Server-side subscriptions; one that the client cancelled in this session stays cancelled. */
function subscribeImplicitly(engine: Engine, session: Session, admission: Admission): void {
  for (const { filter, qos } of admission.implicitSubscriptions ?? []) {
    if (session.subscriptions.has(filter) || session.cancelledFilters.has(filter)) continue;
    engine.sessions.subscribe(session, { filter, qos, isNoLocal: false, isRetainAsPublished: false, retainHandling: 2 });
  }
}

function encodeConnack(
  engine: Engine,
  packet: ConnectPacket,
  admission: Admission,
  isPresent: boolean,
  isAssigned: boolean,
  authentication: Authentication | undefined,
): Buffer {
  const { protocolVersion } = packet;
  return encodePacket(
    {
      type: "connack",
      // [MQTT-3.2.2-2] [MQTT-3.2.2-3] 3.1 has no such flag.
      isSessionPresent: isPresent && protocolVersion > 3,
      reasonCode: 0,
      ...(protocolVersion === 5
        ? { properties: { ...connackProperties(engine, packet, admission, isAssigned), ...authentication?.takeFinalProperties() } }
        : {}),
    },
    protocolVersion,
  );
}

/** [MQTT-3.2.2.3] Only what differs from what an MQTT 5 client assumes. */
function connackProperties(engine: Engine, packet: ConnectPacket, admission: Admission, isAssigned: boolean): Properties {
  const { behaviour, keepAliveSeconds } = admission;
  const properties: Properties = { maximumPacketSizeBytes: packetBytesMaxOf(engine.limits, behaviour) };
  const expirySeconds = Math.min(expirySecondsOf(packet, admission), neverSeconds);
  if (expirySeconds !== (packet.properties?.sessionExpiryIntervalSeconds ?? 0)) properties.sessionExpiryIntervalSeconds = expirySeconds;
  if (behaviour.receiveMaximum < receiveMaximumDefault) properties.receiveMaximum = behaviour.receiveMaximum;
  if (behaviour.qosMax < 2) properties.maximumQoS = behaviour.qosMax === 0 ? 0 : 1;
  if (behaviour.retain !== "store") properties.retainAvailable = 0;
  // [MQTT-3.2.2-16] The client must use the assigned identifier from now on.
  if (isAssigned) properties.assignedClientIdentifier = packet.clientId;
  if (behaviour.topicAliasMax > 0) properties.topicAliasMaximum = behaviour.topicAliasMax;
  if (!behaviour.wildcards) properties.wildcardSubscriptionAvailable = 0;
  if (behaviour.subscriptionIdentifiers === false) properties.subscriptionIdentifierAvailable = 0;
  if (!behaviour.sharedSubscriptions) properties.sharedSubscriptionAvailable = 0;
  // [MQTT-3.2.2-21] The client counts with the server's keep-alive.
  if (keepAliveSeconds !== packet.keepAliveSeconds) properties.serverKeepAliveSeconds = keepAliveSeconds;
  return properties;
}
