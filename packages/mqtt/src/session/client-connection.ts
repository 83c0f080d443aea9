/** One byte stream to one client: its phases, what is legal in each, and its end. */

import type { Connection, SessionConnection } from "../broker.ts";
import {
  type AuthPacket,
  CodecError,
  type ConnectPacket,
  decodePacket,
  encodePacket,
  type FrameReceiver,
  Framer,
  type ProtocolVersion,
  type Will,
} from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import { packetBytesMaxOf } from "../limits.ts";
import type { CloseReason, ConnectionFacts, ConnectRefusal, Refusal, Transport } from "../ports.ts";
import type { Authentication } from "./authentication.ts";
import { Congestion } from "./congestion.ts";
import { handleConnect } from "./connect.ts";
import { handlePacket, pingresp } from "./handle-packet.ts";
import { InboundPublishes } from "./inbound-publish.ts";
import type { Link } from "./link.ts";
import { Outbox, type OutboxOwner } from "./outbox.ts";
import type { OutgoingAliases } from "./outgoing-aliases.ts";
import type { Session } from "./session.ts";
import { disconnectReasonCodes, formatRefusal, refusalOf, SessionError } from "./session-error.ts";
import { leaveWill } from "./will.ts";

const publishType = 3;
const pubackFirstByte = 0x40;
const pingreqFirstByte = 0xc0;
/** Reason code, property lengths and a longer remaining length. */
const reasonOverheadBytes = 16;

interface HeldFrame {
  firstByte: number;
  body: Buffer;
}

export interface ActiveOptions {
  clientId: string;
  isCleanStart: boolean;
  connectedAt: number;
  keepAliveSeconds: number;
  window: number;
  clientPacketBytesMax: number;
  will: Will | undefined;
  aliases: OutgoingAliases | undefined;
  /** The client takes reason strings on every packet that may have one. */
  isProblemWanted: boolean;
  /** Present when the client authenticated by exchanging AUTH packets. */
  authentication: Authentication | undefined;
}

export interface ActivePhase extends ActiveOptions {
  name: "active";
  session: Session;
  /** Made with the first publish: many clients only listen. */
  publishes: InboundPublishes | undefined;
  congestion: Congestion;
}

interface AuthenticatingPhase {
  name: "authenticating";
  packet: ConnectPacket;
  since: number;
  held: HeldFrame[];
  heldBytes: number;
  /** The server has asked by AUTH and the client is to answer. */
  onAuth?: ((packet: AuthPacket) => void) | undefined;
}

type Phase = { name: "awaiting-connect"; since: number } | AuthenticatingPhase | ActivePhase | { name: "closing"; since: number };

export class ClientConnection implements Connection, Link, FrameReceiver, OutboxOwner {
  readonly #engine: Engine;
  readonly #transport: Transport;
  readonly #framer: Framer;
  readonly facts: ConnectionFacts;
  readonly outbox: Outbox;
  version: ProtocolVersion = 4;
  lastPacketAt: number;
  #phase: Phase;
  #stops = 0;
  /** Since the last break, or since the connection began to close. */
  #bytesRead = 0;

  constructor(engine: Engine, transport: Transport, facts: ConnectionFacts) {
    const { limits, clock, slabs, turn } = engine;
    this.#engine = engine;
    this.#transport = transport;
    this.facts = facts;
    this.#framer = new Framer({ packetBytesMax: limits.connectBytesMax });
    this.outbox = new Outbox(transport, slabs, turn, limits.outgoingBytesSoftMax, engine.statistics, this);
    this.lastPacketAt = clock.now();
    this.#phase = { name: "awaiting-connect", since: this.lastPacketAt };
  }

  receive(bytes: Uint8Array, end = bytes.length): void {
    this.#bytesRead += end;
    if (this.#phase.name === "closing") {
      this.#throwAway();
      return;
    }
    this.lastPacketAt = this.#engine.turn.now;
    this.#engine.statistics.bytesReceived += end;
    if (this.#bytesRead >= this.#engine.limits.readBytesPerTurnMax) this.#takeBreak();
    // Once per read: a closure for #guard would be made each time.
    try {
      this.#framer.pushTo(this, bytes, end);
    } catch (error) {
      this.#handleError(error, "receive");
    }
  }

  /** A stream that is always full would be read on and on while the others wait. */
  #takeBreak(): void {
    this.#bytesRead = 0;
    this.stopReading();
    this.#engine.clock.soon(() => this.continueReading());
  }

  /** Its end is awaited, so that our last bytes arrive; whoever just goes on sending is cut. */
  #throwAway(): void {
    if (this.#bytesRead > this.#engine.limits.closingBytesMax) this.#transport.destroy();
  }

  drained(): void {
    this.outbox.look();
    this.#guard("drained", () => this.relieve());
  }

  closed(isGoodbye = false): void {
    this.#guard("closed", () => {
      const phase = this.#phase;
      const isLeaving = isGoodbye && phase.name === "active" && phase.session.behaviour.onCarrierGoodbye === "disconnect";
      if (isLeaving) this.withdrawWill();
      this.#end(isLeaving ? "client_disconnect" : "connection_closed", undefined);
    });
    this.outbox.close();
    this.#engine.connections.delete(this);
  }

  get isAuthenticating(): boolean {
    return this.#phase.name === "authenticating";
  }

  get window(): number {
    return this.#phase.name === "active" ? this.#phase.window : 0;
  }

  get clientPacketBytesMax(): number {
    return this.#phase.name === "active" ? this.#phase.clientPacketBytesMax : 0;
  }

  get aliases(): OutgoingAliases | undefined {
    return this.#phase.name === "active" ? this.#phase.aliases : undefined;
  }

  /** A refusal in words, for a packet that is `packetBytes` without them; undefined when the client cannot take or did not ask. */
  reasonString(refusal: Refusal | undefined, packetBytes: number): string | undefined {
    const phase = this.#phase;
    // [MQTT-3.1.2-29] Not to a client that wants no problem information. [MQTT-3.4.2-2] Not beyond its Maximum Packet Size.
    if (refusal === undefined || this.version !== 5 || phase.name !== "active" || !phase.isProblemWanted) return undefined;
    const text = formatRefusal(refusal);
    return packetBytes + reasonOverheadBytes + Buffer.byteLength(text) > phase.clientPacketBytesMax ? undefined : text;
  }

  get isCongested(): boolean {
    return this.#phase.name === "active" && this.#phase.congestion.state === "congested";
  }

  get isLagging(): boolean {
    return this.#phase.name === "active" && this.#phase.congestion.state === "lagging";
  }

  checkCongestion(): void {
    if (this.#phase.name === "active") this.#phase.congestion.check();
  }

  relieve(): void {
    if (this.#phase.name !== "active" || this.#phase.congestion.state === "clear") return;
    if (this.#phase.congestion.relieve()) this.#phase.session.pump();
  }

  hold(feeder: Link): void {
    if (this.#phase.name === "active") this.#phase.congestion.hold(feeder, feeder === this);
  }

  withdrawWill(): void {
    if (this.#phase.name === "active") this.#phase.will = undefined;
  }

  describe(): SessionConnection | undefined {
    const { facts, version: protocolVersion } = this;
    const phase = this.#phase;
    if (phase.name !== "active") return undefined;
    const { clientId, isCleanStart, keepAliveSeconds, connectedAt, session } = phase;
    const { expirySeconds: sessionExpirySeconds } = session;
    return { clientId, protocolVersion, isCleanStart, keepAliveSeconds, connectedAt, sessionExpirySeconds, facts };
  }

  stopReading(): void {
    this.#stops += 1;
    if (this.#stops === 1 && this.#phase.name !== "closing") this.#transport.pause();
  }

  continueReading(): void {
    this.#stops -= 1;
    if (this.#stops > 0 || this.#phase.name === "closing") return;
    // Nothing could be heard while it was not read.
    this.lastPacketAt = this.#engine.clock.now();
    this.#transport.resume();
  }

  /** [MQTT-3.2.2-7] A refusing CONNACK is followed by the end of the stream. */
  refuse(packet: ConnectPacket, refusal: ConnectRefusal): void {
    const { code, received, expected, isSilent } = refusal;
    const reasonCode = packet.protocolVersion === 5 ? refusal.reasonCode : refusal.returnCode;
    const connack = encodePacket({ type: "connack", isSessionPresent: false, reasonCode }, packet.protocolVersion);
    // [MQTT-3.1.2-24] A client that takes less than that hears nothing.
    const isTaken = connack.length <= (packet.properties?.maximumPacketSizeBytes ?? connack.length);
    if (isTaken && isSilent !== true) this.outbox.append(connack);
    this.#engine.observer.refused({
      facts: this.facts,
      clientId: packet.clientId,
      ...(packet.userName === undefined ? {} : { userName: packet.userName }),
      refusal: { code, ...(received === undefined ? {} : { received }), ...(expected === undefined ? {} : { expected }) },
    });
    this.#hangUp();
  }

  /** The gatekeeper said yes: from here on packets are the session's. */
  activate(session: Session, options: ActiveOptions, isSessionPresent: boolean, connack: Buffer): void {
    const phase = this.#phase;
    if (phase.name !== "authenticating") return;
    const { clientId, keepAliveSeconds } = options;
    this.#phase = {
      name: "active",
      session,
      publishes: undefined,
      congestion: new Congestion(this.outbox, session, this.#engine.limits, this.#engine.clock),
      ...options,
    };
    this.#framer.setPacketBytesMax(packetBytesMaxOf(this.#engine.limits, session.behaviour));
    // [MQTT-3.2.0-1] CONNACK is the first packet.
    this.outbox.append(connack);
    session.resume(this);
    // Told when the session can be reached: whoever hears it may deliver at once.
    const { facts, version: protocolVersion } = this;
    const { id: sessionId, subject } = session;
    this.#engine.observer.connected({ sessionId, subject, facts, clientId, protocolVersion, keepAliveSeconds, isSessionPresent });
    for (const { firstByte, body } of phase.held) {
      if (!this.handleFrame(firstByte, body, 0, body.length)) return;
    }
    this.continueReading();
  }

  /** Ends the connection from this side. MQTT 5 clients are told why. */
  close(reason: CloseReason, refusal?: Refusal, reasonCode = refusal?.reasonCode ?? disconnectReasonCodes[reason]): void {
    const phase = this.#phase;
    if (phase.name === "closing") return;
    // [MQTT-3.14.0-1] DISCONNECT only after a CONNACK that admitted.
    if (phase.name === "active" && this.version === 5) {
      const reasonString = this.reasonString(refusal, 3);
      const properties = reasonString === undefined ? {} : { properties: { reasonString } };
      this.outbox.append(encodePacket({ type: "disconnect", reasonCode, ...properties }, 5));
    }
    this.#end(reason, refusal);
    this.#hangUp();
  }

  /** [MQTT-3.14.4-1] The client said goodbye. [MQTT-3.14.4-3] A normal one takes the will back. */
  leave(isWillKept: boolean): void {
    if (this.#phase.name !== "active") return;
    if (!isWillKept) this.withdrawWill();
    this.#end("client_disconnect", undefined);
    this.#hangUp(true);
  }

  /** Something of ours broke while serving this client: the others go on. */
  failed(error: unknown, doing: string): void {
    const phase = this.#phase;
    const sessionId = phase.name === "active" ? phase.session.id : undefined;
    this.#engine.onBug(error, { doing, phase: phase.name, sessionId, version: this.version, remoteAddress: this.facts.remoteAddress });
    if (phase.name === "closing") this.#hangUp();
    else this.close("internal_error", { code: "mqtt.internal_error" });
  }

  /** Looks at the deadlines of this phase. */
  sweep(now: number): void {
    this.#guard("sweep", () => this.#sweepPhase(now));
  }

  #sweepPhase(now: number): void {
    const phase = this.#phase;
    const { limits } = this.#engine;
    switch (phase.name) {
      case "awaiting-connect":
      case "authenticating":
        if (now - phase.since < limits.connectTimeoutMilliseconds) return;
        this.close("connect_timeout", {
          code: "mqtt.connect_timeout",
          received: phase.name === "authenticating" ? "no answer of the gatekeeper" : "no complete CONNECT",
          expected: `within ${limits.connectTimeoutMilliseconds} ms`,
        });
        return;
      case "active":
        this.#sweepActive(phase, now);
        return;
      case "closing":
        if (now - phase.since < limits.closeTimeoutMilliseconds) return;
        this.#transport.destroy();
        this.#engine.connections.delete(this);
    }
  }

  #sweepActive(phase: ActivePhase, now: number): void {
    const { keepAliveSeconds, congestion } = phase;
    // [MQTT-3.1.2-22] One and a half times the keep-alive without a packet.
    if (keepAliveSeconds > 0 && this.#stops === 0 && now - this.lastPacketAt > keepAliveSeconds * 1500) {
      const received = `nothing for ${now - this.lastPacketAt} ms`;
      this.close("keep_alive_timeout", {
        code: "mqtt.keep_alive_timeout",
        received,
        expected: `a packet within ${keepAliveSeconds * 1500} ms`,
      });
      return;
    }
    if (congestion.state === "clear") return;
    this.drained();
    if (!congestion.isOverdueAt(now)) return;
    this.#end("quota_exceeded", {
      code: "mqtt.slow_reader",
      received: `${this.#transport.bufferedBytes} bytes not taken`,
      expected: `at most ${this.#engine.limits.outgoingBytesSoftMax} bytes`,
    });
    // It would not read a farewell either.
    this.outbox.close();
    this.#transport.destroy();
    this.#engine.connections.delete(this);
  }

  /** One packet; false when the connection is closing. */
  handleFrame(firstByte: number, buffer: Buffer, bodyStart: number, bodyEnd: number): boolean {
    const phase = this.#phase;
    switch (phase.name) {
      case "active":
        this.#handleActive(phase, firstByte, buffer, bodyStart, bodyEnd);
        break;
      case "awaiting-connect":
        this.#handleFirst(firstByte, buffer, bodyStart, bodyEnd);
        break;
      case "authenticating":
        if (phase.packet.properties?.authenticationMethod !== undefined) {
          this.#handleAuthenticating(phase, firstByte, buffer, bodyStart, bodyEnd);
          break;
        }
        // [MQTT-3.1.4-5] A client need not wait for CONNACK; its packets wait.
        phase.heldBytes += bodyEnd - bodyStart;
        if (phase.heldBytes > this.#engine.limits.heldBytesMax) {
          const expected = `at most ${this.#engine.limits.heldBytesMax} bytes before CONNACK`;
          throw new SessionError("mqtt.held_bytes_exceeded", "MQTT-3.1.4-5", `${phase.heldBytes} bytes`, expected);
        }
        phase.held.push({ firstByte, body: Buffer.from(buffer.subarray(bodyStart, bodyEnd)) });
        break;
      case "closing":
    }
    return this.#phase.name !== "closing";
  }

  #handleFirst(firstByte: number, buffer: Buffer, bodyStart: number, bodyEnd: number): void {
    // [MQTT-3.1.0-1] The first packet is a CONNECT.
    if (firstByte !== 0x10) {
      throw new SessionError("mqtt.connect_expected", "MQTT-3.1.0-1", `first byte 0x${firstByte.toString(16)}`, "CONNECT (0x10)");
    }
    // Copied as a whole: password and will are kept beyond the call.
    const body = Buffer.from(buffer.subarray(bodyStart, bodyEnd));
    const packet = decodePacket(firstByte, body, 0, body.length, 4);
    if (packet.type !== "connect") throw new SessionError("mqtt.connect_expected", "MQTT-3.1.0-1", packet.type, "CONNECT");
    this.version = packet.protocolVersion;
    this.#framer.setPacketBytesMax(this.#engine.limits.packetBytesMax);
    this.#phase = { name: "authenticating", packet, since: this.lastPacketAt, held: [], heldBytes: 0 };
    this.stopReading();
    handleConnect(this.#engine, this, packet)?.catch((error: unknown) => this.#handleError(error, "connect"));
  }

  /** [MQTT-3.1.2-30] Until CONNACK such a client sends AUTH and DISCONNECT only, and AUTH when it was asked. */
  #handleAuthenticating(phase: AuthenticatingPhase, firstByte: number, buffer: Buffer, bodyStart: number, bodyEnd: number): void {
    // Copied: the exchange goes on after this call.
    const body = Buffer.from(buffer.subarray(bodyStart, bodyEnd));
    const packet = decodePacket(firstByte, body, 0, body.length, this.version);
    if (packet.type === "disconnect") {
      this.#end("client_disconnect", undefined);
      this.#hangUp();
      return;
    }
    const { onAuth } = phase;
    if (packet.type !== "auth" || onAuth === undefined) {
      throw new SessionError(
        "mqtt.authentication_not_expected",
        "MQTT-3.1.2-30",
        packet.type.toUpperCase(),
        "AUTH as an answer, or DISCONNECT",
      );
    }
    phase.onAuth = undefined;
    this.stopReading();
    onAuth(packet);
  }

  /** Hears the client's next AUTH before CONNACK. Never answered when the client goes. */
  nextAuth(): Promise<AuthPacket> {
    const phase = this.#phase;
    return new Promise((resolve) => {
      if (phase.name !== "authenticating") return;
      phase.onAuth = resolve;
      this.continueReading();
    });
  }

  #handleActive(phase: ActivePhase, firstByte: number, buffer: Buffer, bodyStart: number, bodyEnd: number): void {
    if (firstByte >> 4 === publishType) {
      this.publishesOf(phase).handle(firstByte, buffer, bodyStart, bodyEnd);
      return;
    }
    if (firstByte === pubackFirstByte && bodyEnd - bodyStart === 2) {
      phase.session.settle(buffer.readUInt16BE(bodyStart), "puback");
      return;
    }
    if (firstByte === pingreqFirstByte && bodyEnd === bodyStart) {
      this.outbox.append(pingresp);
      return;
    }
    handlePacket(this.#engine, this, phase, decodePacket(firstByte, buffer, bodyStart, bodyEnd, this.version));
  }

  publishesOf(phase: ActivePhase): InboundPublishes {
    phase.publishes ??= new InboundPublishes(this.#engine, this, phase.session);
    return phase.publishes;
  }

  /** Leaves the session, or reports that there never was one. */
  #end(reason: CloseReason, refusal: Refusal | undefined): void {
    const phase = this.#phase;
    if (phase.name === "closing") return;
    const { observer, sessions, clock } = this.#engine;
    this.#phase = { name: "closing", since: clock.now() };
    if (phase.name !== "active") {
      if (refusal === undefined) return;
      const { clientId, userName } = phase.name === "authenticating" ? phase.packet : {};
      const named = { ...(clientId === undefined ? {} : { clientId }), ...(userName === undefined ? {} : { userName }) };
      observer.refused({ facts: this.facts, ...named, refusal });
      return;
    }
    const { session, publishes, congestion, will } = phase;
    publishes?.close();
    congestion.releaseAll();
    session.link = undefined;
    const { facts, lastPacketAt } = this;
    const { id: sessionId, subject } = session;
    try {
      observer.disconnected({ sessionId, subject, facts, reason, lastPacketAt, ...(refusal === undefined ? {} : { refusal }) });
      // The will is left before the session ends, which would send a delayed one. [MQTT-3.1.2-8]
      if (will !== undefined) leaveWill(this.#engine, session, will);
    } finally {
      // Whatever a listener does, the session must not stay bound to a stream that is gone.
      sessions.detach(session);
    }
  }

  /** Sends what is collected and closes. */
  #hangUp(isPeerDone = false): void {
    if (this.#phase.name !== "closing") this.#phase = { name: "closing", since: this.#engine.clock.now() };
    this.#bytesRead = 0;
    this.outbox.close();
    // A stream that is not read would never see its end.
    if (this.#stops > 0) this.#transport.resume();
    this.#transport.end(isPeerDone);
  }

  /** Runs work caused by this client; whatever it throws closes this connection only. */
  #guard(doing: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#handleError(error, doing);
    }
  }

  /** [MQTT-4.8.0-1] [MQTT-4.13.1-1] A broken packet or rule closes the connection, with the reason where the version has one. */
  #handleError(error: unknown, doing: string): void {
    if (error instanceof SessionError) {
      this.close(error.closeReason, refusalOf(error), error.reasonCode);
    } else if (error instanceof CodecError) {
      if (this.#phase.name === "awaiting-connect") this.#answerBrokenConnect(error);
      this.close(error.code === "mqtt.packet_too_large" ? "packet_too_large" : "protocol_error", refusalOf(error), error.reasonCode);
    } else this.failed(error, doing);
  }

  /** [MQTT-3.1.2-2] [MQTT-3.1.4-1] A CONNECT that names a version we do not speak, or an identifier we reject, is answered. */
  #answerBrokenConnect(error: CodecError): void {
    if (error.returnCode === undefined) return;
    this.outbox.append(encodePacket({ type: "connack", isSessionPresent: false, reasonCode: error.returnCode }, 4));
  }
}
