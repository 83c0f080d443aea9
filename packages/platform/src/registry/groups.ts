/** Static groups of devices, up to three levels deep. Deleting a group leaves its devices. */
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import { checkText, generate } from "./identity-values.ts";
import { checkPage, type RegistryLimits } from "./limits.ts";
import type { GroupStore } from "./ports.ts";
import type { Device, DeviceIdentity, Page, Paged } from "./registry.ts";
import { checkTags, type TagMap } from "./tags.ts";

export interface Group {
  groupId: string;
  name: string;
  description: string;
  superGroupId?: string;
  createdAt: number;
}

export interface GroupCounts {
  deviceCount: number;
  activeCount: number;
  onlineCount: number;
}

/** What became of the devices that were to join a group. */
export interface GroupJoin {
  added: number;
  alreadyThere: number;
  /** In as many groups as allowed. */
  inTooManyGroups: number;
  /** Not in the registry. */
  unknown: number;
}

type Names = Pick<Device, "productKey" | "deviceName">;

export interface GroupsPorts {
  store: GroupStore;
  clock: Pick<Clock, "now">;
  random: Random;
  limits: RegistryLimits;
}

/** Throws `registry.group_not_found` and the like; a refused call changes nothing. */
export interface Groups {
  /** `groupId`: a given one, for groups that move in. Throws `registry.group_name_taken`, `registry.group_levels_exceeded`, … */
  create(group: { name: string; description?: string; superGroupId?: string; groupId?: string }): Promise<Group>;
  get(groupId: string): Promise<Group & GroupCounts>;
  /** Top groups, or those of one group; `name` = exactly this one. */
  list(page: Page, filter?: { superGroupId?: string; name?: string }): Promise<Paged<Group>>;
  update(groupId: string, change: { description: string }): Promise<Group>;
  /** `registry.group_has_groups` while there are groups in it. */
  delete(groupId: string): Promise<void>;
  addDevices(groupId: string, devices: readonly Names[]): Promise<GroupJoin>;
  /** How many were in the group. */
  removeDevices(groupId: string, devices: readonly Names[]): Promise<number>;
  devices(groupId: string, page: Page): Promise<Paged<DeviceIdentity>>;
  groupsOf(device: Names): Promise<Group[]>;
  tags(groupId: string): Promise<TagMap>;
  /** Replaces all tags. */
  setTags(groupId: string, tags: TagMap): Promise<void>;
  byTags(tags: TagMap, page: Page): Promise<Paged<Group>>;
}

/** Tries with freshly drawn ids before a clash is taken for something else. */
const drawsMax = 5;

export function createGroups({ store, clock, random, limits }: GroupsPorts): Groups {
  async function need(groupId: string): Promise<Group> {
    const group = await store.find(groupId);
    if (group === undefined) throw new PlatformError("registry.group_not_found", { groupId });
    return group;
  }

  async function checkPlace(superGroupId: string): Promise<void> {
    let level = 1;
    for (let at: string | undefined = superGroupId; at !== undefined; level++) at = (await need(at)).superGroupId;
    if (level > limits.groupLevelsMax) throw new PlatformError("registry.group_levels_exceeded", { expected: limits.groupLevelsMax });
    const { total } = await store.list({ page: 1, pageSize: 1 }, { superGroupId });
    if (total >= limits.groupChildrenMax) throw new PlatformError("registry.too_many_groups", { expected: limits.groupChildrenMax });
  }

  function checkBatch(devices: readonly Names[]): void {
    const { groupBatchDevicesMax: expected } = limits;
    if (devices.length > expected) throw new PlatformError("registry.invalid_batch", { received: devices.length, expected });
  }

  return {
    async create({ name, description = "", superGroupId, groupId }) {
      checkText("registry.invalid_group_name", name, 1, limits.groupNameCharactersMax);
      checkText("registry.invalid_description", description, 0, limits.descriptionCharactersMax);
      if (groupId !== undefined && !/^[A-Za-z0-9]{1,32}$/.test(groupId)) {
        throw new PlatformError("registry.invalid_group_id", { received: groupId.slice(0, 64), expected: "1 to 32 letters and digits" });
      }
      if (superGroupId !== undefined) await checkPlace(superGroupId);
      if ((await store.count()) >= limits.groupsMax) throw new PlatformError("registry.too_many_groups", { expected: limits.groupsMax });
      for (let draw = 1; ; draw++) {
        const group: Group = {
          groupId: groupId ?? generate.groupId(random),
          name,
          description,
          ...(superGroupId === undefined ? {} : { superGroupId }),
          createdAt: clock.now(),
        };
        const outcome = await store.insert(group);
        if (outcome === "ok") return group;
        if (outcome === "duplicate_name") throw new PlatformError("registry.group_name_taken", { name });
        if (groupId !== undefined || draw === drawsMax) throw new PlatformError("registry.group_id_taken", { groupId: group.groupId });
      }
    },
    async get(groupId) {
      return { ...(await need(groupId)), ...(await store.counts(groupId)) };
    },
    async list(page, filter = {}) {
      checkPage(page, limits);
      if (filter.superGroupId !== undefined) await need(filter.superGroupId);
      const { rows, total } = await store.list(page, filter);
      return { ...page, items: rows, total };
    },
    async update(groupId, { description }) {
      checkText("registry.invalid_description", description, 0, limits.descriptionCharactersMax);
      await need(groupId);
      await store.update(groupId, description);
      return need(groupId);
    },
    async delete(groupId) {
      await need(groupId);
      if ((await store.remove(groupId)) === "has_groups") throw new PlatformError("registry.group_has_groups", { groupId });
    },
    async addDevices(groupId, devices) {
      checkBatch(devices);
      await need(groupId);
      const outcome = await store.addDevices(groupId, devices, {
        devicesMax: limits.devicesPerGroupMax,
        groupsMax: limits.groupsPerDeviceMax,
      });
      if (outcome === "too_many") {
        throw new PlatformError("registry.too_many_group_devices", { groupId, expected: limits.devicesPerGroupMax });
      }
      return outcome;
    },
    async removeDevices(groupId, devices) {
      checkBatch(devices);
      await need(groupId);
      return store.removeDevices(groupId, devices);
    },
    async devices(groupId, page) {
      checkPage(page, limits);
      await need(groupId);
      const { rows, total } = await store.devices(groupId, page);
      return { ...page, items: rows, total };
    },
    groupsOf: (device) => store.groupsOf(device),
    async tags(groupId) {
      await need(groupId);
      return store.tags(groupId);
    },
    async setTags(groupId, tags) {
      checkTags(tags, limits);
      await need(groupId);
      await store.setTags(groupId, tags);
    },
    async byTags(tags, page) {
      checkTags(tags, limits);
      const { rows, total } = await store.byTags(tags, checkPage(page, limits));
      return { ...page, items: rows, total };
    },
  };
}
