/** What a connection of a certificate is judged by: on the way of every connect, so from memory when possible. */
import { LoadingCache } from "../registry/index.ts";
import type { FleetContext } from "./context.ts";
import type { FleetChange, PrincipalFacts, Things } from "./fleet.ts";
import { thingNaming } from "./naming.ts";

export interface PrincipalBook {
  factsOf(certificateId: string, clientId: string | undefined): Promise<PrincipalFacts>;
  follow(change: FleetChange): void;
}

interface Principal {
  policies: PrincipalFacts["policies"];
  exclusiveThing?: string;
  /** Absent when there are too many to keep. */
  things?: ReadonlySet<string>;
}

export function createPrincipalBook({ store, limits }: FleetContext, things: Pick<Things, "find">): PrincipalBook {
  const principals = new LoadingCache<Principal>(limits.principalsCachedMax);
  const policySets = new Map<string, PrincipalFacts["policies"]>();

  /** A fleet has few sets of policies and many certificates: they share the texts, and whatever is compiled from them. */
  function share(policies: PrincipalFacts["policies"]): PrincipalFacts["policies"] {
    const key = JSON.stringify(policies.map(({ name, versionId }) => [name, versionId]));
    const known = policySets.get(key);
    // A policy may have been deleted and made again under its old name.
    if (known?.every(({ document }, index) => document === policies[index]?.document)) return known;
    if (policySets.size >= limits.policySetsCachedMax) policySets.clear();
    policySets.set(key, Object.freeze(policies));
    return policies;
  }

  function load(certificateId: string): Promise<Principal | undefined> {
    return principals.get(certificateId, async () => {
      const policies = await store.policies.ofCertificate(certificateId);
      const { thingsPerPrincipalCachedMax: thingsMax } = limits;
      const attached = await store.things.ofPrincipal({ kind: "certificate", id: certificateId }, { size: thingsMax + 1 });
      const exclusiveThing = attached.find(({ type }) => type === "EXCLUSIVE_THING")?.name;
      return {
        policies: share(policies.map(({ name, defaultVersionId, document }) => ({ name, versionId: defaultVersionId, document }))),
        ...(exclusiveThing !== undefined && { exclusiveThing }),
        ...(attached.length <= thingsMax && { things: new Set(attached.map(({ name }) => name)) }),
      };
    });
  }

  async function isAttached(principal: Principal | undefined, certificateId: string, name: string): Promise<boolean> {
    if (principal?.things !== undefined) return principal.things.has(name);
    return (await store.things.attachment(name, { kind: "certificate", id: certificateId })) !== undefined;
  }

  return {
    async factsOf(certificateId, clientId) {
      const principal = await load(certificateId);
      const policies = principal?.policies ?? [];
      const name = principal?.exclusiveThing ?? clientId;
      const thing = name === undefined || !thingNaming.pattern.test(name) ? undefined : await things.find(name);
      if (thing === undefined) return { policies };
      return {
        policies,
        thing: {
          ...thing,
          isAttached: await isAttached(principal, certificateId, thing.name),
          isExclusive: thing.name === principal?.exclusiveThing,
        },
      };
    },

    follow(change) {
      if (change.kind !== "permissions") return;
      if (change.certificateId !== undefined) return principals.forget(change.certificateId);
      principals.forgetAll();
    },
  };
}
