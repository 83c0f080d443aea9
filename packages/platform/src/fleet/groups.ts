/** Thing groups: a tree that hands policies down (AW 4). */
import { PlatformError } from "../errors/index.ts";
import { applyAttributes, checkDescription, checkName, checkVersion, hasSameEntries } from "./checks.ts";
import type { FleetContext } from "./context.ts";
import { byName, readPage } from "./cursor.ts";
import type { Thing, ThingGroup, ThingGroups } from "./fleet.ts";
import { drawUuid } from "./naming.ts";
import type { GroupRow } from "./ports.ts";
import type { ThingBook } from "./things.ts";

export function createThingGroups(context: FleetContext, things: Pick<ThingBook, "get" | "announcePermissions">): ThingGroups {
  const { store, limits, clock, random, inTurn, emit } = context;

  async function need(name: string): Promise<ThingGroup> {
    const group = await store.groups.find(name);
    if (group === undefined) throw new PlatformError("fleet.group_not_found", { name });
    return group;
  }

  async function checkPlace(name: string, parent: ThingGroup): Promise<void> {
    // The new group's own level and its parent's.
    if (parent.ancestors.length + 2 > limits.groupLevelsMax) {
      throw new PlatformError("fleet.group_levels_exceeded", { name, expected: limits.groupLevelsMax });
    }
    if ((await store.groups.countChildren(parent.name)) >= limits.groupChildrenMax) {
      throw new PlatformError("fleet.group_children_exceeded", { name: parent.name, expected: limits.groupChildrenMax });
    }
  }

  /** A thing is in one group of each tree at most, as at the vendor. */
  async function checkMembership(thing: Thing, group: ThingGroup): Promise<void> {
    const { groupsPerThingMax } = limits;
    const groups = await store.groups.ofThing(thing.name, { size: groupsPerThingMax });
    if (groups.length >= groupsPerThingMax) {
      throw new PlatformError("fleet.thing_groups_exceeded", { name: thing.name, expected: groupsPerThingMax });
    }
    for (const { name } of groups) {
      const other = await need(name);
      if (rootOf(other) !== rootOf(group)) continue;
      throw new PlatformError("fleet.thing_groups_same_tree", { name: thing.name, received: group.name, expected: name });
    }
  }

  return {
    get: need,

    async create({ name, parentName, description = "", attributes: given = {} }) {
      checkName(name, limits);
      checkDescription(description, limits);
      const attributes = applyAttributes({}, { attributes: given }, limits.groupAttributesMax, limits);
      return inTurn(async () => {
        const before = await store.groups.find(name);
        if (before !== undefined) {
          const isSame =
            before.parentName === parentName && before.description === description && hasSameEntries(before.attributes, attributes);
          if (isSame) return before;
          throw new PlatformError("fleet.group_exists", { name, resourceId: before.id });
        }
        const parent = parentName === undefined ? undefined : await need(parentName);
        if (parent !== undefined) await checkPlace(name, parent);
        const row: GroupRow = {
          name,
          id: drawUuid(random),
          description,
          attributes,
          ...(parentName !== undefined && { parentName }),
          version: 1,
          createdAt: clock.now(),
        };
        await store.groups.insert(row);
        const ancestors = parent === undefined ? [] : [...parent.ancestors, { name: parent.name, id: parent.id }];
        const group: ThingGroup = { ...row, ancestors };
        emit({ kind: "group.created", group });
        if (parent !== undefined) emit({ kind: "group.child_added", parent, child: group });
        return group;
      });
    },

    async update(name, { description, attributes: change = {}, expectedVersion }) {
      if (description !== undefined) checkDescription(description, limits);
      return inTurn(async () => {
        const before = await need(name);
        checkVersion(before, expectedVersion);
        const group: ThingGroup = {
          ...before,
          description: description ?? before.description,
          attributes: applyAttributes(before.attributes, change, limits.groupAttributesMax, limits),
          version: before.version + 1,
        };
        await store.groups.update(group);
        emit({ kind: "group.updated", group });
        return group;
      });
    },

    async delete(name, expectedVersion) {
      return inTurn(async () => {
        const group = await need(name);
        checkVersion(group, expectedVersion);
        const parent = group.parentName === undefined ? undefined : await store.groups.find(group.parentName);
        if ((await store.groups.remove(name)) === "has_children") throw new PlatformError("fleet.group_has_children", { name });
        if (parent !== undefined) emit({ kind: "group.child_removed", parent, child: group });
        emit({ kind: "group.deleted", group });
        emit({ kind: "permissions" });
      });
    },

    async list(page, { parentName, namePrefix, isRecursive = true } = {}) {
      if (parentName !== undefined) await need(parentName);
      const filter = { isRecursive, ...(parentName !== undefined && { parentName }), ...(namePrefix !== undefined && { namePrefix }) };
      return readPage(
        page,
        byName("groups"),
        limits,
        (slice) => store.groups.list(filter, slice),
        ({ name }) => name,
      );
    },

    async addThing(groupName, thingName) {
      return inTurn(async () => {
        const group = await need(groupName);
        const thing = await things.get(thingName);
        if ((await store.groups.ofThing(thingName, { size: limits.groupsPerThingMax })).some(({ name }) => name === groupName)) return;
        await checkMembership(thing, group);
        const membershipId = drawUuid(random);
        if (!(await store.groups.addThing(groupName, thingName, membershipId))) return;
        emit({ kind: "group.thing_added", group, thing, membershipId });
        await things.announcePermissions(thingName);
      });
    },

    async removeThing(groupName, thingName) {
      return inTurn(async () => {
        const group = await need(groupName);
        const thing = await things.get(thingName);
        const membershipId = await store.groups.removeThing(groupName, thingName);
        if (membershipId === undefined) return;
        emit({ kind: "group.thing_removed", group, thing, membershipId });
        await things.announcePermissions(thingName);
      });
    },

    async ofThing(thingName, page) {
      await things.get(thingName);
      return readPage(
        page,
        byName("thing-groups"),
        limits,
        (slice) => store.groups.ofThing(thingName, slice),
        ({ name }) => name,
      );
    },

    async things(groupName, page, isRecursive = false) {
      await need(groupName);
      return readPage(
        page,
        byName("group-things"),
        limits,
        (slice) => store.groups.things(groupName, slice, isRecursive),
        (name) => name,
      );
    },
  };
}

function rootOf(group: ThingGroup): string {
  return group.ancestors[0]?.name ?? group.name;
}
