/** Policies with versions, attached to certificates, groups and other identities (AW 5.1). What they say, the dialect reads. */
import { PlatformError } from "../errors/index.ts";
import { checkPolicyName } from "./checks.ts";
import type { FleetContext } from "./context.ts";
import { byName, byTime, type PlaceCodec, readPage } from "./cursor.ts";
import type { Policies, Policy, PolicyTarget, PolicyVersion } from "./fleet.ts";

/** Certificates told one by one that a policy of theirs changed; with more of them, all are. */
const toldCertificatesMax = 100;

export function createPolicies(context: FleetContext): Policies {
  const { store, limits, clock, checkPolicy, inTurn, emit } = context;

  async function need(name: string): Promise<Policy> {
    const policy = await store.policies.find(name);
    if (policy === undefined) throw new PlatformError("fleet.policy_not_found", { name });
    return policy;
  }

  async function needVersion(name: string, versionId: string): Promise<PolicyVersion> {
    await need(name);
    const version = (await store.policies.versions(name)).find((one) => one.versionId === versionId);
    if (version === undefined) throw new PlatformError("fleet.policy_version_not_found", { name, versionId });
    return version;
  }

  function checkDocument(document: string): void {
    const { policyDocumentCharactersMax: expected } = limits;
    const received = document.replace(/\s/g, "").length;
    if (received > expected) throw new PlatformError("fleet.policy_too_long", { received, expected });
    const problem = checkPolicy(document);
    if (problem !== undefined) throw new PlatformError("fleet.policy_malformed", { problem });
  }

  function emitTarget(target: PolicyTarget): void {
    emit(target.kind === "certificate" ? { kind: "permissions", certificateId: target.id } : { kind: "permissions" });
  }

  async function announce(name: string): Promise<void> {
    const targets = await store.policies.targets(name, { size: toldCertificatesMax + 1 });
    const isForAll = targets.length > toldCertificatesMax || targets.some(({ kind }) => kind !== "certificate");
    if (isForAll) return emit({ kind: "permissions" });
    for (const target of targets) emitTarget(target);
  }

  async function checkTarget(target: PolicyTarget): Promise<void> {
    if (target.kind === "certificate" && (await store.certificates.find(target.id)) === undefined) {
      throw new PlatformError("fleet.certificate_not_found", { id: target.id });
    }
    if (target.kind === "group" && (await store.groups.find(target.name)) === undefined) {
      throw new PlatformError("fleet.group_not_found", { name: target.name });
    }
  }

  return {
    get: need,

    async create(name, document) {
      checkPolicyName(name, limits);
      checkDocument(document);
      return inTurn(async () => {
        const before = await store.policies.find(name);
        if (before !== undefined) {
          if (before.document === document) return before;
          throw new PlatformError("fleet.policy_exists", { name, resourceId: name });
        }
        const now = clock.now();
        const policy: Policy = { name, document, defaultVersionId: "1", createdAt: now, modifiedAt: now };
        await store.policies.insert(policy);
        return policy;
      });
    },

    async delete(name) {
      return inTurn(async () => {
        await need(name);
        if ((await store.policies.targets(name, { size: 1 })).length > 0) throw new PlatformError("fleet.policy_attached", { name });
        if ((await store.policies.versions(name)).length > 1) throw new PlatformError("fleet.policy_has_versions", { name });
        await store.policies.remove(name);
      });
    },

    async list({ isAscending = false, ...page }) {
      return readPage(
        page,
        byTime(`policies-${isAscending}`),
        limits,
        (slice) => store.policies.list({ ...slice, isAscending }),
        ({ createdAt, name }) => ({ time: createdAt, id: name }),
      );
    },

    async createVersion(name, document, isDefault) {
      checkDocument(document);
      return inTurn(async () => {
        await need(name);
        const { policyVersionsMax: expected } = limits;
        if ((await store.policies.versions(name)).length >= expected) {
          throw new PlatformError("fleet.policy_versions_exceeded", { name, expected });
        }
        const version = await store.policies.insertVersion(name, { document, isDefault, createdAt: clock.now() });
        if (isDefault) await announce(name);
        return version;
      });
    },

    getVersion: needVersion,

    async setDefaultVersion(name, versionId) {
      return inTurn(async () => {
        const { isDefault } = await needVersion(name, versionId);
        if (isDefault) return;
        await store.policies.setDefaultVersion(name, versionId, clock.now());
        await announce(name);
      });
    },

    async deleteVersion(name, versionId) {
      return inTurn(async () => {
        const { isDefault } = await needVersion(name, versionId);
        if (isDefault) throw new PlatformError("fleet.policy_version_default", { name, versionId });
        await store.policies.removeVersion(name, versionId);
      });
    },

    async versions(name) {
      await need(name);
      return store.policies.versions(name);
    },

    async attach(name, target) {
      return inTurn(async () => {
        await need(name);
        await checkTarget(target);
        const { policiesPerPrincipalMax: expected } = limits;
        const attached = await store.policies.ofTarget(target, { size: expected }, false);
        if (attached.some((policy) => policy.name === name)) return;
        if (attached.length >= expected) throw new PlatformError("fleet.policies_exceeded", { received: textOf(target), expected });
        await store.policies.attach(name, target);
        emitTarget(target);
      });
    },

    async detach(name, target) {
      return inTurn(async () => {
        await need(name);
        if (await store.policies.detach(name, target)) emitTarget(target);
      });
    },

    async ofTarget(target, page, isRecursive = false) {
      await checkTarget(target);
      return readPage(
        page,
        byName("target-policies"),
        limits,
        (slice) => store.policies.ofTarget(target, slice, isRecursive),
        ({ name }) => name,
      );
    },

    async targets(name, page) {
      await need(name);
      return readPage(
        page,
        byTarget,
        limits,
        (slice) => store.policies.targets(name, slice),
        (target) => ({ kind: target.kind, id: target.kind === "group" ? target.name : target.id }),
      );
    },
  };
}

const kinds: readonly unknown[] = ["certificate", "group", "identity"] satisfies PolicyTarget["kind"][];

const byTarget: PlaceCodec<{ kind: PolicyTarget["kind"]; id: string }> = {
  list: "policy-targets",
  encode: ({ kind, id }) => [kind, id],
  decode: ([kind, id]) => (kinds.includes(kind) && typeof id === "string" ? { kind: kind as PolicyTarget["kind"], id } : undefined),
};

function textOf(target: PolicyTarget): string {
  return target.kind === "group" ? `the group ${target.name}` : `the ${target.kind} ${target.id}`;
}
