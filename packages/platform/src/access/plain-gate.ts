/** Lets generic MQTT clients in: everyone (`plain: anonymous`), or the users of the registry (`plain: users`). */
import { plainDialect, type TopicRights } from "@thingstead/dialects";
import type { Gatekeeper, SessionBehaviour } from "@thingstead/mqtt";
import type { PublishListeners } from "./device-rights.ts";
import type { SessionLimits } from "./limits.ts";
import { PlainRights } from "./plain-rights.ts";
import { type ClientSubject, clientSessionIdOf } from "./subject.ts";

export interface AnonymousGatePorts {
  grants: PublishListeners;
  limits: SessionLimits;
}

/** Nothing is proven: whoever knows a client id has its session. Credentials that come along are not looked at. */
export function createAnonymousGate({ grants, limits }: AnonymousGatePorts): Gatekeeper {
  const behaviour: SessionBehaviour = { ...plainDialect.behaviour, ...limits };
  const rights: TopicRights = plainDialect.anonymousRights;
  return {
    async connect({ clientId, keepAliveSeconds }) {
      const subject: ClientSubject = { kind: "client", dialect: plainDialect.name, clientId };
      return {
        sessionId: clientSessionIdOf("", clientId),
        rights: new PlainRights(grants, () => rights),
        behaviour,
        // [MQTT-3.1.2-22] Any keep-alive is the client's choice, none too.
        keepAliveSeconds,
        subject,
      };
    },
  };
}
