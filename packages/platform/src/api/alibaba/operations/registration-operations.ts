/** Devices registered by the thousand, and given identities (reference 1.8.C). */
import { PlatformError } from "../../../errors/index.ts";
import type { RegistrationBatch, RegistrationStatus } from "../../../registry/index.ts";
import { defineOperation, memberOf, type OperationTable, pageCount, readPage } from "../operation.ts";

const statuses: Readonly<Record<RegistrationStatus, string>> = {
  checked: "CHECK_SUCCESS",
  refused: "CHECK_FAILED",
  creating: "CREATE",
  created: "CREATE_SUCCESS",
  failed: "CREATE_FAILED",
};
const entriesUsual = 10;

export const registrationOperations: OperationTable = {
  BatchCheckDeviceNames: defineOperation(
    { ProductKey: "text", DeviceName: "list?", DeviceNameList: "structs?" },
    async ({ ProductKey, DeviceName, DeviceNameList }, { registrationBatches }) => {
      const devices = [
        ...DeviceName.map((deviceName) => ({ deviceName })),
        ...DeviceNameList.map((each) => {
          const deviceName = memberOf("DeviceNameList", each, "DeviceName");
          const nickname = each.devicenickname;
          return nickname ? { deviceName, nickname } : { deviceName };
        }),
      ];
      if (devices.length === 0) throw new PlatformError("alibaba.device_list_empty");
      const { id, invalidNames, invalidNicknames } = await registrationBatches.check(ProductKey, devices);
      return {
        Data: {
          ApplyId: id,
          ...(invalidNames.length === 0 ? {} : { InvalidDeviceNameList: { InvalidDeviceName: invalidNames } }),
          ...(invalidNicknames.length === 0 ? {} : { InvalidDeviceNicknameList: { InvalidDeviceNickname: invalidNicknames } }),
        },
      };
    },
  ),

  BatchRegisterDeviceWithApplyId: defineOperation(
    { ProductKey: "text", ApplyId: "integer" },
    async ({ ProductKey, ApplyId }, { registrationBatches }) => {
      const { id } = await registrationBatches.register(ProductKey, ApplyId);
      return { Data: { ApplyId: id } };
    },
  ),

  BatchRegisterDevice: defineOperation(
    { ProductKey: "text", Count: "integer" },
    async ({ ProductKey, Count }, { registry, registrationBatches }) => {
      await registry.getProduct(ProductKey);
      const { id } = await registrationBatches.registerUnnamed(ProductKey, Count);
      return { Data: { ApplyId: id } };
    },
  ),

  QueryBatchRegisterDeviceStatus: defineOperation(
    { ProductKey: "text", ApplyId: "integer" },
    async ({ ProductKey, ApplyId }, { registrationBatches }) => {
      const batch = await registrationBatches.get(ApplyId);
      if (batch.productKey !== ProductKey) throw new PlatformError("registry.registration_batch_not_found", { received: ApplyId });
      const isFailed = batch.status === "refused" || batch.status === "failed";
      const invalid = new Set(batch.invalidNames);
      const valid = batch.devices.map(({ deviceName }) => deviceName).filter((name) => !invalid.has(name));
      return {
        Data: {
          Status: statuses[batch.status],
          ...(isFailed ? { ValidList: { Name: valid }, InvalidList: { Name: batch.invalidNames } } : {}),
        },
      };
    },
  ),

  QueryPageByApplyId: defineOperation(
    { ApplyId: "integer", CurrentPage: "integer?", PageSize: "integer?" },
    async ({ ApplyId, CurrentPage, PageSize }, { registry, registrationBatches, limits }) => {
      const { page, pageSize } = readPage(CurrentPage ?? 1, PageSize ?? entriesUsual, limits.devicePageEntriesMax);
      const batch = await registrationBatches.get(ApplyId);
      const made = batch.status === "created" ? batch.devices : [];
      const ApplyDeviceInfo = await Promise.all(
        made.slice((page - 1) * pageSize, page * pageSize).map((each) => show(batch, each.deviceName)),
      );
      return {
        ApplyDeviceList: { ApplyDeviceInfo: ApplyDeviceInfo.flat() },
        Page: page,
        PageSize: pageSize,
        PageCount: pageCount(made.length, pageSize),
        Total: made.length,
      };

      /** Nothing for a device that was deleted since. */
      async function show({ productKey }: RegistrationBatch, deviceName: string) {
        const device = await registry.findDevice(productKey, deviceName);
        if (device === undefined) return [];
        const { iotId, deviceSecret } = device;
        return [{ DeviceId: iotId, IotId: iotId, DeviceName: deviceName, DeviceSecret: deviceSecret }];
      }
    },
  ),

  ImportDevice: defineOperation(
    { ProductKey: "text", DeviceName: "text", DeviceSecret: "text", Nickname: "text?", Sn: "unsupported" },
    async ({ ProductKey, DeviceName, DeviceSecret, Nickname }, { registry }) => {
      const device = await registry.createDevice(ProductKey, {
        deviceName: DeviceName,
        deviceSecret: DeviceSecret,
        ...(Nickname ? { nickname: Nickname } : {}),
      });
      const { deviceName, deviceSecret, iotId, nickname, productKey } = device;
      return {
        Data: { DeviceName: deviceName, DeviceSecret: deviceSecret, IotId: iotId, Nickname: nickname, ProductKey: productKey },
      };
    },
  ),
};
