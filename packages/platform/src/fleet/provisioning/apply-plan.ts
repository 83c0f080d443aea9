/** Makes true what a template plans, and takes back what it made when it cannot. */
import { createHash } from "node:crypto";
import {
  type AwsAccount,
  arnOf,
  type PlannedCertificate,
  type PlannedThing,
  type ProvisioningPlan,
  type TemplateOverride,
} from "@thingstead/dialects";
import { PlatformError } from "../../errors/index.ts";
import { hasSameEntries } from "../checks.ts";
import type { Fleet, FleetCertificate, Thing } from "../fleet.ts";

export interface Provisioned {
  certificate: FleetCertificate;
  thingName?: string;
  /** ARNs by the template's names of its resources. */
  resourceArns: Readonly<Record<string, string>>;
  deviceConfiguration: Readonly<Record<string, string>>;
}

export interface ApplyPlanPorts {
  fleet: Pick<Fleet, "things" | "groups" | "certificates" | "policies">;
  account: AwsAccount;
  onFailure(error: unknown): void;
}

type Undo = (() => Promise<unknown>)[];

/** Throws what the fleet throws, and `provisioning.resource_conflict`. */
export async function applyPlan(plan: ProvisioningPlan, ports: ApplyPlanPorts): Promise<Provisioned> {
  const undo: Undo = [];
  try {
    return await apply(plan, ports, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(ports.onFailure);
    throw error;
  }
}

async function apply({ thing, certificate: planned, policies, deviceConfiguration }: ProvisioningPlan, ports: ApplyPlanPorts, undo: Undo) {
  const { fleet, account } = ports;
  const arns: [string, string][] = [];
  const certificate = await takeCertificate(planned, fleet, undo);
  const status = statusAfter(planned, certificate);
  arns.push([planned.logicalName, arnOf(account, `cert/${certificate.id}`)]);
  const target = { kind: "certificate", id: certificate.id } as const;
  if (thing !== undefined) {
    await takeThing(thing, fleet, undo);
    await attachThing(thing.name, certificate.id, fleet, undo);
    arns.push([thing.logicalName, arnOf(account, `thing/${thing.name}`)]);
  }
  const attached = new Set((await fleet.policies.ofTarget(target, {})).items.map(({ name }) => name));
  for (const policy of policies) {
    const name = "name" in policy ? policy.name : await takePolicy(policy.document, fleet);
    if (!attached.has(name)) {
      await fleet.policies.attach(name, target);
      undo.push(() => fleet.policies.detach(name, target));
    }
    arns.push([policy.logicalName, arnOf(account, `policy/${name}`)]);
  }
  // Last: a certificate that may connect has all that it was promised.
  const after = status === certificate.status ? certificate : await fleet.certificates.setStatus(certificate.id, status);
  return {
    certificate: after,
    ...(thing !== undefined && { thingName: thing.name }),
    resourceArns: Object.fromEntries(arns),
    deviceConfiguration,
  };
}

/** A certificate of the registry, or a new one that is INACTIVE until all else is done. */
async function takeCertificate(
  { source }: PlannedCertificate,
  { certificates }: ApplyPlanPorts["fleet"],
  undo: Undo,
): Promise<FleetCertificate> {
  if (source.kind === "id") return certificates.get(source.id);
  let made: FleetCertificate;
  try {
    made =
      source.kind === "signing-request"
        ? await certificates.createFromRequest(source.pem, "INACTIVE")
        : await certificates.register(source.pem, {
            status: "INACTIVE",
            isCaRequired: true,
            ...(source.caPem !== undefined && { caPem: source.caPem }),
          });
  } catch (error) {
    const id = error instanceof PlatformError && error.code === "fleet.certificate_exists" ? error.details.id : undefined;
    if (typeof id !== "string") throw error;
    return certificates.get(id);
  }
  undo.push(() => certificates.delete(made.id, true));
  return made;
}

function statusAfter({ status, override }: PlannedCertificate, { id, status: before }: FleetCertificate): FleetCertificate["status"] {
  // Waiting for this: nobody decided otherwise yet.
  if (before === "PENDING_ACTIVATION" || before === status) return status;
  return resolve(override, "certificate", id, before, status) === "keep" ? before : status;
}

/** What to do with something that is otherwise than planned. */
function resolve(
  override: TemplateOverride,
  resource: string,
  name: string,
  received: string,
  expected: string,
): "keep" | "replace" | "merge" {
  if (override === "FAIL") throw new PlatformError("provisioning.resource_conflict", { resource, name, received, expected });
  if (override === "DO_NOTHING") return "keep";
  return override === "MERGE" ? "merge" : "replace";
}

async function takeThing(planned: PlannedThing, fleet: ApplyPlanPorts["fleet"], undo: Undo): Promise<void> {
  const { name, typeName, attributes, billingGroupName } = planned;
  const before = await fleet.things.find(name);
  if (before === undefined) {
    await fleet.things.create({
      name,
      ...(typeName !== undefined && { typeName }),
      ...(attributes !== undefined && { attributes }),
      ...(billingGroupName !== undefined && { billingGroupName }),
    });
    undo.push(() => fleet.things.delete(name));
  }
  // All conflicts are found before anything is changed.
  const change = before === undefined ? undefined : changeOf(planned, before);
  const { added, removed } = await groupsOf(planned, before !== undefined, fleet);
  if (change !== undefined) {
    await fleet.things.update(name, change);
    undo.push(() => fleet.things.update(name, changeBack(before)));
  }
  for (const group of removed) {
    await fleet.groups.removeThing(group, name);
    undo.push(() => fleet.groups.addThing(group, name));
  }
  for (const group of added) {
    await fleet.groups.addThing(group, name);
    undo.push(() => fleet.groups.removeThing(group, name));
  }
}

type ThingUpdate = Parameters<Fleet["things"]["update"]>[1];

function changeOf({ name, typeName, attributes, overrides }: PlannedThing, before: Thing): ThingUpdate | undefined {
  const change: ThingUpdate = {};
  if (typeName !== undefined && typeName !== before.typeName) {
    const wish = resolve(overrides.typeName, "type of the thing", name, before.typeName ?? "none", typeName);
    if (wish !== "keep") change.typeName = typeName;
  }
  if (attributes !== undefined && !hasSameEntries(attributes, before.attributes)) {
    const wish = resolve(overrides.attributes, "thing", name, JSON.stringify(before.attributes), JSON.stringify(attributes));
    if (wish !== "keep") change.attributes = { attributes, merge: wish === "merge" };
  }
  return change.typeName === undefined && change.attributes === undefined ? undefined : change;
}

function changeBack(before: Thing | undefined): ThingUpdate {
  if (before === undefined) return {};
  const { attributes, typeName } = before;
  return { attributes: { attributes }, ...(typeName === undefined ? { removesType: true } : { typeName }) };
}

async function groupsOf({ name, groups, overrides }: PlannedThing, isOld: boolean, fleet: ApplyPlanPorts["fleet"]) {
  if (groups === undefined) return { added: [], removed: [] };
  for (const group of groups) await fleet.groups.get(group);
  const before = isOld ? (await fleet.groups.ofThing(name, {})).items.map((group) => group.name) : [];
  const added = groups.filter((group) => !before.includes(group));
  const removed = before.filter((group) => !groups.includes(group));
  if (!isOld) return { added, removed: [] };
  if (added.length === 0 && removed.length === 0) return { added, removed };
  switch (resolve(overrides.groups, "groups of the thing", name, before.join(", ") || "none", groups.join(", "))) {
    case "keep":
      return { added: [], removed: [] };
    case "merge":
      return { added, removed: [] };
    case "replace":
      return { added, removed };
  }
}

async function attachThing(name: string, certificateId: string, { things }: ApplyPlanPorts["fleet"], undo: Undo): Promise<void> {
  const principal = { kind: "certificate", id: certificateId } as const;
  const before = await things.ofPrincipal(principal, {});
  if (before.items.some((thing) => thing.name === name)) return;
  await things.attachPrincipal(name, principal);
  undo.push(() => things.detachPrincipal(name, principal));
}

/** A document without a name is named by its hash, so that all devices of a template share one policy. */
async function takePolicy(document: string, { policies }: ApplyPlanPorts["fleet"]): Promise<string> {
  const name = createHash("sha256").update(document).digest("hex");
  await policies.create(name, document);
  return name;
}
