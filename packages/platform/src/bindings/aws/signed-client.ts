/** Clients by WebSocket whose upgrade was signed with an access key (AWS reference 2.2, 17). */
import { type AwsAccount, verifySigV4 } from "@thingstead/dialects";
import type { ConnectionFacts } from "@thingstead/mqtt";
import type { Clock } from "../../clock.ts";
import { type ConnectContext, type ProofRefusal, type ProvenClient, splitTarget } from "./client.ts";
import type { AwsAccessLimits } from "./limits.ts";
import { everythingAllowed } from "./policies.ts";

export interface SignedClientPorts {
  account: AwsAccount;
  /** Undefined: no such key. */
  secretOf(accessKeyId: string): string | undefined;
  clock: Pick<Clock, "now">;
  limits: Pick<AwsAccessLimits, "clockSkewSecondsMax" | "signedConnectionSeconds">;
}

export interface SignedClients {
  prove(facts: ConnectionFacts, context: ConnectContext): Promise<ProvenClient | ProofRefusal>;
}

const services = ["iotdevicegateway", "iotdata"];

export function createSignedClients({ account, secretOf, clock, limits }: SignedClientPorts): SignedClients {
  const region = account.acceptsForeignArns === true ? {} : { region: account.region };
  return {
    async prove({ upgrade }) {
      const { path, rawQuery } = splitTarget(upgrade?.target ?? "");
      const verdict = await verifySigV4(
        { method: "GET", path, rawQuery, headers: upgrade?.headers ?? {} },
        { secretOf, now: clock.now(), clockSkewSecondsMax: limits.clockSkewSecondsMax, ...region, services },
      );
      if (verdict.kind === "refused") {
        const { reason, received, expected, stringToSign } = verdict;
        const signed = stringToSign === undefined ? expected : `the signature of ${JSON.stringify(stringToSign)}`;
        return { code: "access.request_signature", received: `${reason}: ${received}`, expected: signed };
      }
      return {
        principal: { kind: "access-key", id: verdict.accessKeyId },
        permissions: { policies: everythingAllowed },
        async look() {
          if (secretOf(verdict.accessKeyId) !== undefined) return { policies: everythingAllowed };
          return { code: "access.request_signature", received: verdict.accessKeyId, expected: "an access key of this server" };
        },
        lifetimeSeconds: limits.signedConnectionSeconds,
      };
    },
  };
}
