/** Things and groups of the fleet as jobs know them: by name. */
import type { JobTargets } from "../../device-services/index.ts";
import type { Fleet } from "../../fleet/index.ts";

/** Groups have few levels and things are in few groups: one page holds them. */
export function createJobTargets(fleet: Pick<Fleet, "things" | "groups" | "onChange">): JobTargets {
  const { things, groups } = fleet;

  async function groupExists(name: string): Promise<boolean> {
    return groups.get(name).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "fleet.group_not_found") return false;
        throw error;
      },
    );
  }

  return {
    hasThing: async (name) => (await things.find(name)) !== undefined,
    hasGroup: groupExists,

    async thingsOf(groupName, nextToken) {
      if (!(await groupExists(groupName))) return { items: [] };
      return groups.things(groupName, nextToken === undefined ? {} : { nextToken }, true);
    },

    async groupsOf(thingName) {
      const names = new Set<string>();
      if ((await things.find(thingName)) === undefined) return names;
      let nextToken: string | undefined;
      do {
        const page = await groups.ofThing(thingName, nextToken === undefined ? {} : { nextToken });
        for (const { name } of page.items) {
          names.add(name);
          for (const ancestor of (await groups.get(name)).ancestors) names.add(ancestor.name);
        }
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return names;
    },

    onChange(listener) {
      fleet.onChange((change) => {
        if (change.kind === "thing.deleted") listener({ thingName: change.thing.name, isGone: true });
        if (change.kind === "group.thing_added" || change.kind === "group.thing_removed") {
          listener({ thingName: change.thing.name, isGone: false });
        }
      });
    },
  };
}
