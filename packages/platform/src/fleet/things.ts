/** Things: devices of one product, with attributes, a type and the principals they are attached to (AW 4). */
import { PlatformError } from "../errors/index.ts";
import { LoadingCache, type Registry, type RegistryChange } from "../registry/index.ts";
import { applyAttributes, checkCount, checkName, checkVersion, hasSameEntries } from "./checks.ts";
import type { FleetContext } from "./context.ts";
import { byName, type PlaceCodec, readPage } from "./cursor.ts";
import type { Attributes, Thing, ThingPrincipal, Things } from "./fleet.ts";
import { drawUuid, thingProductKey } from "./naming.ts";
import type { ThingContent, ThingFilter, ThingPlace, ThingRow } from "./ports.ts";

export interface ThingBook extends Things {
  /** `permissions` of whoever the thing is attached to. */
  announcePermissions(name: string): Promise<void>;
  /** The registry's devices of this product are things, however they are made. */
  follow(change: RegistryChange): void;
}

export interface ThingPorts {
  registry: Pick<Registry, "createDevice" | "deleteDevice">;
  /** The product was deleted, or never made. */
  needProduct(): Promise<void>;
}

/** Certificates told one by one that something of their thing changed; with more of them, all are. */
const toldCertificatesMax = 100;

export function createThings(context: FleetContext, { registry, needProduct }: ThingPorts): ThingBook {
  const { store, limits, clock, random, inTurn, emit } = context;
  const things = new LoadingCache<Thing>(limits.thingsCachedMax);
  /** Changes of devices that are the fleet's own doing: it tells of them when all is stored. */
  const making = new Set<string>();
  const removing = new Map<string, Thing>();

  function find(name: string): Promise<Thing | undefined> {
    return things.get(name, async () => {
      const row = await store.things.find(name);
      return row && Object.freeze(thingOf(row));
    });
  }

  async function need(name: string): Promise<Thing> {
    const thing = await find(name);
    if (thing === undefined) throw new PlatformError("fleet.thing_not_found", { name });
    return thing;
  }

  async function checkType(typeName: string | undefined): Promise<void> {
    if (typeName === undefined) return;
    const type = await store.types.find(typeName);
    if (type === undefined) throw new PlatformError("fleet.type_not_found", { name: typeName });
    if (type.deprecatedAt !== undefined) throw new PlatformError("fleet.type_deprecated", { name: typeName });
  }

  const attributesMaxOf = (typeName: string | undefined) =>
    typeName === undefined ? limits.attributesWithoutTypeMax : limits.attributesWithTypeMax;

  async function write(name: string, content: ThingContent): Promise<Thing> {
    const isThere = await store.things.write(name, content);
    things.forget(name);
    if (!isThere) throw new PlatformError("fleet.thing_not_found", { name });
    return need(name);
  }

  async function make(name: string, content: ThingContent): Promise<Thing> {
    await needProduct();
    making.add(name);
    try {
      await registry.createDevice(thingProductKey, { deviceName: name, iotId: drawUuid(random) });
      const thing = await write(name, content);
      emit({ kind: "thing.created", thing });
      if (thing.typeName !== undefined) emit({ kind: "thing.type_added", thing, typeName: thing.typeName });
      return thing;
    } finally {
      making.delete(name);
    }
  }

  async function announcePermissions(name: string): Promise<void> {
    const attached = await store.things.principals(name, { size: toldCertificatesMax + 1 });
    const certificates = attached.filter(({ principal }) => principal.kind === "certificate");
    if (attached.length > toldCertificatesMax) return emit({ kind: "permissions" });
    for (const { principal } of certificates) emit({ kind: "permissions", certificateId: principal.id });
  }

  /** An exclusive principal has one thing. */
  async function checkExclusive(name: string, principal: ThingPrincipal, isExclusive: boolean): Promise<void> {
    const others = (await store.things.ofPrincipal(principal, { size: 2 })).filter((other) => other.name !== name);
    const [other] = others;
    if (other === undefined || !(isExclusive || other.type === "EXCLUSIVE_THING")) return;
    const expected =
      other.type === "EXCLUSIVE_THING" ? `no other thing than ${other.name}, its exclusive one` : "a principal without other things";
    throw new PlatformError("fleet.principal_exclusive", { name, received: `it is attached to ${other.name}`, expected });
  }

  return {
    find,
    get: need,
    announcePermissions,

    async create({ name, typeName, attributes: given = {}, billingGroupName }) {
      checkName(name, limits);
      const attributes = applyAttributes({}, { attributes: given }, attributesMaxOf(typeName), limits);
      const content: ThingContent = {
        attributes,
        version: 1,
        ...(typeName !== undefined && { typeName }),
        ...(billingGroupName !== undefined && { billingGroupName: checkName(billingGroupName, limits) }),
      };
      return inTurn(async () => {
        const before = await store.things.find(name);
        if (before !== undefined && isSame(before, content)) return thingOf(before);
        if (before?.hasContent === true) throw new PlatformError("fleet.thing_exists", { name, resourceId: before.id });
        await checkType(typeName);
        if (before === undefined) return make(name, content);
        // A device that was made through the registry alone, and has nothing of a thing yet.
        const thing = await write(name, content);
        emit({ kind: "thing.updated", thing });
        if (typeName !== undefined) emit({ kind: "thing.type_added", thing, typeName });
        await announcePermissions(name);
        return thing;
      });
    },

    async update(name, { attributes: change = {}, typeName, removesType = false, expectedVersion }) {
      if (removesType && typeName !== undefined) {
        throw new PlatformError("fleet.invalid_type", { field: "name", received: `${typeName} and its removal`, expected: "one of them" });
      }
      return inTurn(async () => {
        const before = await need(name);
        checkVersion(before, expectedVersion);
        const after = removesType ? undefined : (typeName ?? before.typeName);
        if (after !== before.typeName) await checkType(after);
        const attributesMax = attributesMaxOf(after);
        const attributes = checkCount(applyAttributes(before.attributes, change, attributesMax, limits), attributesMax);
        const { billingGroupName } = before;
        const thing = await write(name, {
          attributes,
          version: before.version + 1,
          ...(after !== undefined && { typeName: after }),
          ...(billingGroupName !== undefined && { billingGroupName }),
        });
        emit({ kind: "thing.updated", thing });
        if (after !== before.typeName) {
          if (before.typeName !== undefined) emit({ kind: "thing.type_removed", thing, typeName: before.typeName });
          if (after !== undefined) emit({ kind: "thing.type_added", thing, typeName: after });
        }
        await announcePermissions(name);
        return thing;
      });
    },

    async delete(name, expectedVersion) {
      return inTurn(async () => {
        const thing = await need(name);
        checkVersion(thing, expectedVersion);
        if ((await store.things.principals(name, { size: 1 })).length > 0) {
          throw new PlatformError("fleet.thing_has_principals", { name });
        }
        removing.set(name, thing);
        try {
          await registry.deleteDevice(thingProductKey, name);
        } finally {
          removing.delete(name);
        }
      });
    },

    async list(page, { attributeName, attributeValue, isValuePrefix, typeName } = {}) {
      if (attributeName === undefined && attributeValue !== undefined) {
        throw new PlatformError("fleet.invalid_attributes", { received: "a value without a name", expected: "the attribute's name too" });
      }
      const filter: ThingFilter = {
        ...(typeName !== undefined && { typeName }),
        ...(attributeName !== undefined && { attribute: attributeFilter(attributeName, attributeValue, isValuePrefix) }),
      };
      const isByValue = filter.attribute?.isPrefix === true;
      return readPage(
        page,
        isByValue ? byValue : byThing,
        limits,
        (slice) => store.things.list(filter, slice),
        ({ name, attributes }) => ({ name, ...(isByValue && { value: attributes[attributeName ?? ""] ?? "" }) }),
      );
    },

    async attachPrincipal(name, principal, type = "NON_EXCLUSIVE_THING") {
      return inTurn(async () => {
        await need(name);
        if (principal.kind === "certificate" && (await store.certificates.find(principal.id)) === undefined) {
          throw new PlatformError("fleet.certificate_not_found", { id: principal.id });
        }
        await checkExclusive(name, principal, type === "EXCLUSIVE_THING");
        if (!(await store.things.attach(name, { principal, type }))) throw new PlatformError("fleet.thing_not_found", { name });
        emitPrincipal(principal);
      });
    },

    async detachPrincipal(name, principal) {
      return inTurn(async () => {
        await need(name);
        if (await store.things.detach(name, principal)) emitPrincipal(principal);
      });
    },

    async principals(name, page, type) {
      await need(name);
      return readPage(
        page,
        byPrincipal,
        limits,
        (slice) => store.things.principals(name, slice, type),
        ({ principal }) => principal,
      );
    },

    async ofPrincipal(principal, page, type) {
      return readPage(
        page,
        byName("principal-things"),
        limits,
        (slice) => store.things.ofPrincipal(principal, slice, type),
        ({ name }) => name,
      );
    },

    follow(change) {
      if (change.productKey !== thingProductKey) return;
      if (change.kind === "device.created") {
        things.forget(change.deviceName);
        if (making.has(change.deviceName)) return;
        emit({ kind: "thing.created", thing: bareThing(change.deviceName, change.iotId, clock.now()) });
      }
      if (change.kind === "device.deleted") {
        const own = removing.get(change.deviceName);
        const thing = own ?? things.peek(change.deviceName) ?? bareThing(change.deviceName, change.iotId, clock.now());
        things.forget(change.deviceName);
        emit({ kind: "thing.deleted", thing });
        // It may have been attached to anybody, and nobody knows any more to whom.
        if (own === undefined) emit({ kind: "permissions" });
      }
    },
  };

  function emitPrincipal(principal: ThingPrincipal): void {
    emit(principal.kind === "certificate" ? { kind: "permissions", certificateId: principal.id } : { kind: "permissions" });
  }
}

const byThing: PlaceCodec<ThingPlace> = {
  list: "things",
  encode: ({ name }) => [name],
  decode: ([name]) => (typeof name === "string" ? { name } : undefined),
};

const byValue: PlaceCodec<ThingPlace> = {
  list: "things-by-value",
  encode: ({ name, value = "" }) => [name, value],
  decode: ([name, value]) => (typeof name === "string" && typeof value === "string" ? { name, value } : undefined),
};

const byPrincipal: PlaceCodec<ThingPrincipal> = {
  list: "thing-principals",
  encode: ({ kind, id }) => [kind, id],
  decode: ([kind, id]) => ((kind === "certificate" || kind === "identity") && typeof id === "string" ? { kind, id } : undefined),
};

function attributeFilter(name: string, value: string | undefined, isPrefix: boolean | undefined): NonNullable<ThingFilter["attribute"]> {
  if (value === undefined) return { name, isPrefix: true };
  return { name, value, ...(isPrefix === true && { isPrefix }) };
}

function isSame(thing: ThingRow, content: ThingContent): boolean {
  return (
    thing.typeName === content.typeName &&
    thing.billingGroupName === content.billingGroupName &&
    hasSameEntries(thing.attributes, content.attributes)
  );
}

function thingOf({ hasContent: _, ...thing }: ThingRow): Thing {
  return thing;
}

function bareThing(name: string, id: string, createdAt: number): Thing {
  const attributes: Attributes = {};
  return { name, id, attributes, version: 1, createdAt };
}
