/** Connections that exist to hand over credentials: one message without a SUBSCRIBE, then the end (alibaba-device.md, 2.6). */
import type { Admission, Broker, SessionBehaviour, SessionRights } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import type { AccessLimits } from "./limits.ts";
import type { SessionListener } from "./observer.ts";
import { isDeviceSubject, isRegistrationSubject, type RegistrationSubject } from "./subject.ts";

export interface RegistrationSessionsPorts {
  /** Asked late: the broker is made with the gatekeeper that admits these sessions. */
  broker(): Pick<Broker, "deliver" | "endSession">;
  clock: Pick<Clock, "after">;
  limits: Pick<AccessLimits, "registrationSessionSeconds">;
}

const noRights: SessionRights = {
  publish: (topic) => ({ code: "access.registration_session", received: topic }),
  subscribe: (filter) => ({ code: "access.registration_session", received: filter }),
};

export function registrationAdmission(sessionId: string, subject: RegistrationSubject, behaviour: SessionBehaviour): Admission {
  return {
    sessionId,
    rights: noRights,
    // Whatever the client asks for, nothing of it is kept.
    behaviour: { ...behaviour, sessionExpirySecondsMax: 0 },
    keepAliveSeconds: 0,
    subject,
  };
}

export function createRegistrationSessions({ broker, clock, limits }: RegistrationSessionsPorts): SessionListener {
  const timers = new Map<string, () => void>();
  return {
    connected({ sessionId, subject }) {
      if (isDeviceSubject(subject) && subject.greeting !== undefined) broker().deliver(sessionId, { ...subject.greeting, qos: 0 });
      if (!isRegistrationSubject(subject)) return;
      const end = clock.after(limits.registrationSessionSeconds * 1000, () => {
        timers.delete(sessionId);
        broker().endSession(sessionId, "kicked", { code: "access.registration_session_over", received: sessionId });
      });
      timers.set(sessionId, end);
      broker().deliver(sessionId, { ...subject.message, qos: 0 });
    },
    disconnected({ sessionId }) {
      timers.get(sessionId)?.();
      timers.delete(sessionId);
    },
  };
}
