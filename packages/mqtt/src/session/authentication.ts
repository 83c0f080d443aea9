/** Enhanced authentication: AUTH packets back and forth until the gatekeeper has made up its mind. [5.0 section 4.12] */
import { type AuthPacket, type ConnectPacket, encodePacket, type Properties } from "../codec/index.ts";
import type { Engine } from "../engine.ts";
import type { Admission, AuthenticationAnswer, AuthenticationExchange, ConnectionFacts, ConnectRefusal } from "../ports.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Session } from "./session.ts";
import { SessionError } from "./session-error.ts";
import { reauthoriseSubscriptions } from "./subscribe.ts";

const continueReason = 0x18;
const reauthenticateReason = 0x19;

/** Of the client that names a method in CONNECT; undefined for all others. */
export function authenticationOf(engine: Engine, packet: ConnectPacket, facts: ConnectionFacts): Authentication | undefined {
  const method = packet.properties?.authenticationMethod;
  return method === undefined ? undefined : new Authentication(engine, packet, facts, method);
}

export class Authentication {
  readonly #engine: Engine;
  readonly #packet: ConnectPacket;
  readonly #facts: ConnectionFacts;
  readonly #method: string;
  #finalData: Uint8Array | undefined;
  /** The exchange under way on an admitted connection. */
  #exchange: AuthenticationExchange | undefined;
  /** It is the client's turn. */
  #isAsked = false;
  #steps = 0;

  constructor(engine: Engine, packet: ConnectPacket, facts: ConnectionFacts, method: string) {
    this.#engine = engine;
    this.#packet = packet;
    this.#facts = facts;
    this.#method = method;
  }

  /** The exchange before CONNACK. Undefined when the client went meanwhile. */
  async connect(connection: ClientConnection): Promise<Admission | ConnectRefusal | undefined> {
    const exchange = this.#engine.gatekeeper.authenticate?.(this.#packet, this.#facts);
    // [MQTT-4.12.0-1] A method that the server does not know is answered with 0x8C.
    if (exchange === undefined) return unknownMethod(this.#method);
    let data = this.#packet.properties?.authenticationData;
    for (let step = 0; step <= this.#engine.limits.authenticationStepsMax; step += 1) {
      const answer = await exchange.step(data);
      if (!connection.isAuthenticating) return undefined;
      if (answer.kind === "refused") return answer.refusal;
      if (answer.kind === "admitted") {
        this.#finalData = answer.data;
        return answer.admission;
      }
      // [MQTT-4.12.0-2] [MQTT-4.12.0-3] More is asked by AUTH 0x18 and answered by AUTH 0x18.
      const next = connection.nextAuth();
      this.#send(connection, continueReason, answer.data);
      data = this.#checked(await next, continueReason).properties?.authenticationData;
    }
    return this.#tooManySteps();
  }

  /** [MQTT-4.12.0-5] CONNACK, or the last AUTH, repeats the method; the last data goes with it. */
  takeFinalProperties(): Properties {
    const data = this.#finalData;
    this.#finalData = undefined;
    return this.#properties(data);
  }

  /** AUTH of an admitted client: it authenticates anew, or goes on with that. [MQTT-4.12.1-1] */
  handle(connection: ClientConnection, session: Session, packet: AuthPacket): void {
    if (this.#exchange === undefined) {
      this.#checked(packet, reauthenticateReason);
      this.#exchange = this.#engine.gatekeeper.authenticate?.(this.#packet, this.#facts);
      this.#steps = 0;
      if (this.#exchange === undefined) {
        this.#fail(connection, unknownMethod(this.#method));
        return;
      }
    } else {
      if (!this.#isAsked) throw notExpected("AUTH while the last one is not answered");
      this.#checked(packet, continueReason);
    }
    this.#isAsked = false;
    // The read buffer is used again before the exchange looks at it.
    const data = packet.properties?.authenticationData;
    this.#step(connection, session, this.#exchange, data === undefined ? undefined : Buffer.from(data)).catch((error: unknown) =>
      connection.failed(error, "authenticate"),
    );
  }

  async #step(
    connection: ClientConnection,
    session: Session,
    exchange: AuthenticationExchange,
    data: Uint8Array | undefined,
  ): Promise<void> {
    this.#steps += 1;
    const isOverLimit = this.#steps > this.#engine.limits.authenticationStepsMax;
    const answer: AuthenticationAnswer = isOverLimit ? { kind: "refused", refusal: this.#tooManySteps() } : await exchange.step(data);
    if (session.link !== connection) return;
    switch (answer.kind) {
      case "refused":
        return this.#fail(connection, answer.refusal);
      case "continue":
        this.#isAsked = true;
        return this.#send(connection, continueReason, answer.data);
      case "admitted":
        return this.#renew(connection, session, answer.admission, answer.data);
    }
  }

  /** The same client with the rights it has now. Who turned out to be somebody else must connect again. */
  #renew(connection: ClientConnection, session: Session, admission: Admission, data: Uint8Array | undefined): void {
    const { sessionId, rights, subject } = admission;
    if (sessionId !== session.id) {
      this.#fail(connection, { ...refusedReauthentication, received: "another identity" });
      return;
    }
    this.#exchange = undefined;
    session.grant(rights, this.#engine.limits.receiveCacheEntriesMax);
    session.subject = subject;
    reauthoriseSubscriptions(this.#engine, session);
    this.#send(connection, 0, data);
  }

  /** [MQTT-4.12.1-2] A failed re-authentication ends the connection. */
  #fail(connection: ClientConnection, { code, received, expected, reasonCode }: ConnectRefusal): void {
    const refusal = { code, ...(received === undefined ? {} : { received }), ...(expected === undefined ? {} : { expected }) };
    // Bad user name or password (0x86) is a word of CONNACK alone.
    connection.close("refused", refusal, reasonCode === 0x86 ? 0x87 : reasonCode);
  }

  #checked(packet: AuthPacket, reasonCode: number): AuthPacket {
    if (packet.reasonCode !== reasonCode) throw notExpected(`AUTH 0x${packet.reasonCode.toString(16)}`);
    const method = packet.properties?.authenticationMethod;
    // [MQTT-4.12.0-5] [MQTT-4.12.1-1] The method of CONNECT stays.
    if (method !== this.#method) {
      throw new SessionError("mqtt.authentication_method_changed", "MQTT-4.12.0-5", method ?? "no method", this.#method);
    }
    return packet;
  }

  #tooManySteps(): ConnectRefusal {
    const { authenticationStepsMax } = this.#engine.limits;
    return {
      code: "mqtt.authentication_steps_exceeded",
      expected: `at most ${authenticationStepsMax} steps`,
      returnCode: 5,
      reasonCode: 0x87,
    };
  }

  #send(connection: ClientConnection, reasonCode: number, data: Uint8Array | undefined): void {
    connection.outbox.append(encodePacket({ type: "auth", reasonCode, properties: this.#properties(data) }, 5));
  }

  #properties(data: Uint8Array | undefined): Properties {
    return { authenticationMethod: this.#method, ...(data === undefined ? {} : { authenticationData: data }) };
  }
}

const refusedReauthentication = {
  code: "mqtt.authentication_identity_changed",
  expected: "the identity of CONNECT",
  returnCode: 5,
  reasonCode: 0x87,
} as const;

function unknownMethod(method: string): ConnectRefusal {
  const received = method.slice(0, 128);
  return { code: "mqtt.authentication_method_unknown", received, expected: "a method of the server", returnCode: 4, reasonCode: 0x8c };
}

function notExpected(received: string): SessionError {
  return new SessionError("mqtt.authentication_not_expected", "MQTT-4.12.0-3", received, "AUTH 0x18 when asked, 0x19 to authenticate anew");
}
