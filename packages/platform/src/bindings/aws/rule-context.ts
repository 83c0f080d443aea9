/** What rules in AWS SQL ask about: who published, and shadows (AWS reference, 14.3). */
import type { Broker } from "@thingstead/mqtt";
import { isClientSubject, isDeviceSubject, isThingClientSubject } from "../../access/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { RuleContext } from "../../rules/index.ts";

/** What is asked of the keeper of shadows. */
export interface ShadowSource {
  get(
    shadow: { thingName: string; shadowName: string },
    payload: Uint8Array,
  ): Promise<{ kind: "done"; payload: Uint8Array } | { kind: "refused" } | { kind: "failed"; error: unknown }>;
}

export interface RuleContextPorts {
  broker: () => Pick<Broker, "subjectOf">;
  /** Opened later than rules are. */
  thingShadows: () => ShadowSource;
}

type Publisher = NonNullable<ReturnType<RuleContext["publisherOf"]>>;

const emptyQuestion = new Uint8Array(0);

export function createRuleContext({ broker, thingShadows }: RuleContextPorts): RuleContext {
  return {
    publisherOf(sessionId) {
      const subject = broker().subjectOf(sessionId);
      if (isThingClientSubject(subject)) {
        const { clientId, principal, device } = subject;
        const known: Publisher = { clientId, principal: principal.id };
        if (device !== undefined) known.device = { productKey: device.productKey, deviceName: device.deviceName };
        return known;
      }
      if (isDeviceSubject(subject)) {
        const { productKey, deviceName, certificate } = subject;
        return {
          clientId: sessionId,
          device: { productKey, deviceName },
          ...(certificate === undefined ? {} : { principal: certificate }),
        };
      }
      if (!isClientSubject(subject)) return undefined;
      return { clientId: subject.clientId, ...(subject.userName === undefined ? {} : { principal: subject.userName }) };
    },
    async readShadow(thingName, shadowName = "") {
      const answer = await thingShadows().get({ thingName, shadowName }, emptyQuestion);
      if (answer.kind === "done") return JSON.parse(Buffer.from(answer.payload).toString());
      // No such shadow is Undefined; a store that does not answer fails the run.
      if (answer.kind === "refused") return undefined;
      throw answer.error instanceof Error
        ? answer.error
        : new PlatformError("rules.evaluation_failed", { reason: "the shadow could not be read" });
    },
  };
}
