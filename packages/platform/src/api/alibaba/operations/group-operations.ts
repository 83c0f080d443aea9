/** Static groups (reference 1.8.E). */
import { PlatformError } from "../../../errors/index.ts";
import type { Device, Group, TagMap } from "../../../registry/index.ts";
import { defineOperation, memberOf, type OperationTable, pageCount, readPage, type Struct } from "../operation.ts";
import { formatUtc } from "../vendor-times.ts";

const page = { CurrentPage: "integer?", PageSize: "integer?" } as const;
const entriesUsual = 10;
const members = { GroupId: "text", Device: "structs?" } as const;

export const groupOperations: OperationTable = {
  CreateDeviceGroup: defineOperation(
    { GroupName: "text", GroupDesc: "text?", SuperGroupId: "text?" },
    async ({ GroupName, GroupDesc, SuperGroupId }, { groups }) => {
      const group = await groups.create({
        name: GroupName,
        ...(GroupDesc ? { description: GroupDesc } : {}),
        ...(SuperGroupId ? { superGroupId: SuperGroupId } : {}),
      });
      const { GroupType: _static, ...Data } = showGroup(group);
      return { Data };
    },
  ),

  UpdateDeviceGroup: defineOperation({ GroupId: "text", GroupDesc: "text?", GroupType: "text?" }, async (input, { groups }) => {
    refuseType(input.GroupType);
    await groups.update(input.GroupId, { description: input.GroupDesc ?? "" });
    return {};
  }),

  DeleteDeviceGroup: defineOperation({ GroupId: "text" }, async ({ GroupId }, { groups }) => {
    await groups.delete(GroupId);
    return {};
  }),

  QueryDeviceGroupInfo: defineOperation({ GroupId: "text", GroupType: "text?" }, async (input, { groups }) => {
    refuseType(input.GroupType);
    const group = await groups.get(input.GroupId);
    const { GroupType: _static, ...shown } = showGroup(group);
    const { deviceCount, activeCount, onlineCount } = group;
    return { Data: { ...shown, DeviceCount: deviceCount, DeviceActive: activeCount, DeviceOnline: onlineCount } };
  }),

  QueryDeviceGroupList: defineOperation(
    { GroupName: "text?", GroupTypes: "list?", SuperGroupId: "text?", ...page },
    async (input, { groups, limits }) => {
      for (const type of input.GroupTypes) refuseType(type);
      const wanted = readPage(input.CurrentPage ?? 1, input.PageSize ?? entriesUsual, limits.groupPageEntriesMax);
      const { items, total } = await groups.list(wanted, {
        ...(input.GroupName ? { name: input.GroupName } : {}),
        ...(input.SuperGroupId ? { superGroupId: input.SuperGroupId } : {}),
      });
      return {
        CurrentPage: wanted.page,
        PageSize: wanted.pageSize,
        PageCount: pageCount(total, wanted.pageSize),
        Total: total,
        Data: { GroupInfo: items.map(showGroup) },
      };
    },
  ),

  QueryDeviceGroupByDevice: defineOperation({ ProductKey: "text", DeviceName: "text" }, async (input, { groups, registry }) => {
    const { productKey, deviceName } = await registry.getDevice(input.ProductKey, input.DeviceName);
    return { GroupInfos: { GroupInfo: (await groups.groupsOf({ productKey, deviceName })).map(showGroup) } };
  }),

  QueryDeviceListByDeviceGroup: defineOperation({ GroupId: "text", ...page }, async (input, { groups, registry, limits }) => {
    const wanted = readPage(input.CurrentPage ?? 1, input.PageSize ?? entriesUsual, limits.searchPageEntriesMax);
    const { items, total } = await groups.devices(input.GroupId, wanted);
    const names = new Map<string, string>();
    for (const { productKey } of items) {
      if (!names.has(productKey)) names.set(productKey, (await registry.getProduct(productKey)).name);
    }
    const SimpleDeviceInfo = items.map(({ productKey, deviceName, iotId }) => ({
      ProductKey: productKey,
      ProductName: names.get(productKey) ?? "",
      DeviceName: deviceName,
      IotId: iotId,
    }));
    return {
      Page: wanted.page,
      PageSize: wanted.pageSize,
      PageCount: pageCount(total, wanted.pageSize),
      Total: total,
      Data: { SimpleDeviceInfo },
    };
  }),

  BatchAddDeviceGroupRelations: defineOperation(members, async ({ GroupId, Device }, { groups }) => {
    const { added, alreadyThere, inTooManyGroups } = await groups.addDevices(GroupId, readDevices(Device));
    return {
      SuccessAddedDeviceCount: added,
      AlreadyRelatedGroupDeviceCount: alreadyThere,
      ExceedTenGroupDeviceCount: inTooManyGroups,
      ValidDeviceCount: added + alreadyThere + inTooManyGroups,
    };
  }),

  BatchDeleteDeviceGroupRelations: defineOperation(members, async ({ GroupId, Device }, { groups }) => {
    const removed = await groups.removeDevices(GroupId, readDevices(Device));
    return { SuccessDeviceCount: removed, AlreadyRelatedGroupDeviceCount: removed, ValidDeviceCount: removed };
  }),

  SetDeviceGroupTags: defineOperation({ GroupId: "text", GroupType: "text?", TagString: "text?" }, async (input, { groups }) => {
    refuseType(input.GroupType);
    await groups.setTags(input.GroupId, readTagString(input.TagString || "[]"));
    return {};
  }),

  QueryDeviceGroupTagList: defineOperation({ GroupId: "text", GroupType: "text?" }, async (input, { groups }) => {
    refuseType(input.GroupType);
    const tags = await groups.tags(input.GroupId);
    return { Data: { GroupTagInfo: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })) } };
  }),

  QueryDeviceGroupByTags: defineOperation({ Tag: "structs", ...page }, async (input, { groups, limits }) => {
    if (input.Tag.length > limits.tagsPerCallMax)
      throw new PlatformError("alibaba.too_many_tags", { received: input.Tag.length, expected: limits.tagsPerCallMax });
    const wanted = readPage(input.CurrentPage ?? 1, input.PageSize ?? entriesUsual, limits.searchPageEntriesMax);
    const tags = Object.fromEntries(input.Tag.map((tag) => [memberOf("Tag", tag, "TagKey"), memberOf("Tag", tag, "TagValue")]));
    const { items, total } = await groups.byTags(tags, wanted);
    return {
      Page: wanted.page,
      PageSize: wanted.pageSize,
      PageCount: pageCount(total, wanted.pageSize),
      Total: total,
      Data: { DeviceGroup: items.map(({ groupId, name }) => ({ GroupId: groupId, GroupName: name })) },
    };
  }),

  QuerySuperDeviceGroup: defineOperation({ GroupId: "text" }, async ({ GroupId }, { groups }) => {
    const { superGroupId } = await groups.get(GroupId);
    if (superGroupId === undefined) return { Data: { GroupInfo: [] } };
    const { GroupId: id, GroupName, GroupDesc } = showGroup(await groups.get(superGroupId));
    return { Data: { GroupInfo: [{ GroupId: id, GroupName, GroupDesc }] } };
  }),
};

function showGroup({ groupId, name, description, createdAt }: Group) {
  return { GroupId: groupId, GroupName: name, GroupDesc: description, GroupType: "LINK_PLATFORM", UtcCreate: formatUtc(createdAt) };
}

/** Dynamic groups are a search of their own that this server lacks. */
function refuseType(type: string | undefined): void {
  if (type?.includes("DYNAMIC")) throw new PlatformError("alibaba.group_type_not_supported", { received: type });
}

function readDevices(structs: readonly Struct[]): Pick<Device, "productKey" | "deviceName">[] {
  return structs.map((struct) => ({
    productKey: memberOf("Device", struct, "ProductKey"),
    deviceName: memberOf("Device", struct, "DeviceName"),
  }));
}

function readTagString(text: string): TagMap {
  const refuse = () => new PlatformError("alibaba.tag_string_invalid", { received: text.slice(0, 200) });
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw refuse();
  }
  if (!Array.isArray(list)) throw refuse();
  return Object.fromEntries(
    list.map((tag: { tagKey?: unknown; tagValue?: unknown } | null) => {
      if (typeof tag?.tagKey !== "string" || typeof tag.tagValue !== "string") throw refuse();
      return [tag.tagKey, tag.tagValue];
    }),
  );
}
