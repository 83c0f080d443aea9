/** Lets generic MQTT clients in: everyone (`plain: anonymous`), or the users of the registry (`plain: users`). */
import { plainDialect, type TopicRight, type TopicRights } from "@thingstead/dialects";
import type { Broker, ConnectRefusal, Gatekeeper, Refusal, SessionBehaviour } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { MqttUsers } from "../registry/index.ts";
import type { PublishListeners } from "./device-rights.ts";
import type { AccessLimits, SessionLimits } from "./limits.ts";
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
    connect({ clientId, keepAliveSeconds }) {
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

export interface UserGatePorts extends AnonymousGatePorts {
  users: Pick<MqttUsers, "verify" | "onChange">;
  /** A store failed, or too many passwords wait, while a client was waiting. */
  onFailure(error: unknown): void;
}

/** A user's rights as they are now, shared by its sessions; exchanged when they change. */
interface RightsPage {
  rights: readonly TopicRight[];
}

/** Lets in who proves to be a user of the registry, with that user's rights. */
export function createUserGate({ users, grants, limits, onFailure }: UserGatePorts): Gatekeeper {
  const behaviour: SessionBehaviour = { ...plainDialect.behaviour, ...limits };
  /** Bounded by the users of the registry. */
  const pages = new Map<string, RightsPage>();

  users.onChange((change) => {
    const page = pages.get(change.userName);
    if (page === undefined || change.kind === "password") return;
    if (change.kind === "rights") page.rights = change.rights;
    else {
      page.rights = [];
      pages.delete(change.userName);
    }
  });

  return {
    async connect({ clientId, userName = "", password, keepAliveSeconds }) {
      if (userName === "" || password === undefined) return refuse("access.user_credentials_wrong", userName);
      try {
        const user = await users.verify(userName, password);
        if (user === undefined) return refuse("access.user_credentials_wrong", userName);
        const page = pages.get(userName) ?? { rights: user.rights };
        pages.set(userName, page);
        const subject: ClientSubject = { kind: "client", dialect: plainDialect.name, clientId, userName };
        return {
          sessionId: clientSessionIdOf(userName, clientId),
          rights: new PlainRights(grants, currentRights(page, { userName, clientId })),
          behaviour,
          keepAliveSeconds,
          subject,
        };
      } catch (error) {
        onFailure(error);
        const isBusy = error instanceof PlatformError && error.code === busyCode;
        return refuse(isBusy ? busyCode : "access.unavailable", userName);
      }
    },
  };
}

const busyCode = "registry.password_checks_exceeded";

/** Compiled anew only when the page carries another list. */
function currentRights(page: RightsPage, names: { userName: string; clientId: string }): () => TopicRights {
  let { rights } = page;
  let compiled = plainDialect.compileRights(names, rights);
  return () => {
    if (page.rights !== rights) {
      rights = page.rights;
      compiled = plainDialect.compileRights(names, rights);
    }
    return compiled;
  };
}

function refuse(code: string, userName: string): ConnectRefusal {
  const received = userName === "" ? "no user name and password" : `user name ${JSON.stringify(userName.slice(0, 64))}`;
  return { code, received, expected: "an MQTT user of the registry and its password", ...plainDialect.refusalCodes(code) };
}

export interface UserWatcherPorts {
  users: Pick<MqttUsers, "onChange">;
  broker: Pick<Broker, "kick" | "endSession" | "forgetGrants" | "sessionIdsOf">;
  clock: Pick<Clock, "after">;
  limits: Pick<AccessLimits, "cutRecheckMilliseconds">;
}

/** Cuts the sessions of a user that was deleted or has another password, and re-checks those whose rights changed. */
export function createUserWatcher({ users, broker, clock, limits }: UserWatcherPorts): { close(): void } {
  const pending = new Set<() => void>();

  function cut(userName: string, isDeleted: boolean): void {
    const code = isDeleted ? "access.user_deleted" : "access.user_password_changed";
    const refusal: Refusal = { code, received: userName };
    for (const sessionId of broker.sessionIdsOf(clientSessionIdOf(userName, ""))) {
      if (isDeleted) broker.endSession(sessionId, "kicked", refusal);
      else broker.kick(sessionId, "kicked", refusal);
    }
  }

  users.onChange(({ kind, userName }) => {
    if (kind === "rights") {
      broker.forgetGrants();
      return;
    }
    cut(userName, kind === "deleted");
    if (kind === "password") return;
    // A CONNECT may have passed its check just before and be admitted just after. A user made anew meanwhile connects again.
    const cancel = clock.after(limits.cutRecheckMilliseconds, () => {
      pending.delete(cancel);
      cut(userName, true);
    });
    pending.add(cancel);
  });

  return {
    close() {
      for (const cancel of pending) cancel();
      pending.clear();
    },
  };
}
