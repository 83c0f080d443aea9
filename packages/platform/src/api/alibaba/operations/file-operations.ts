/** Files that devices uploaded (reference 1.8.B). */
import type { DeviceFile } from "../../../device-services/index.ts";
import { defineOperation, type OperationTable, pageCount, readPage } from "../operation.ts";
import { formatUtc } from "../vendor-times.ts";
import { deviceSelector, findSelectedDevice } from "./device-selector.ts";

const pageSizeDefault = 10;

function showFile({ uploadId, name, bytes, createdAt }: DeviceFile) {
  return { FileId: uploadId, Name: name, Size: String(bytes), UtcCreatedOn: formatUtc(createdAt) };
}

export const fileOperations: OperationTable = {
  QueryDeviceFileList: defineOperation(
    { ...deviceSelector, CurrentPage: "integer?", PageSize: "integer?" },
    async (input, { registry, deviceServices, limits }) => {
      const page = readPage(input.CurrentPage ?? 1, input.PageSize ?? pageSizeDefault, limits.jobPageEntriesMax);
      const device = await findSelectedDevice(input, registry);
      const { items, total } = await deviceServices.files.list(device, page);
      return {
        CurrentPage: page.page,
        PageSize: page.pageSize,
        PageCount: pageCount(total, page.pageSize),
        Total: total,
        Data: { FileSummary: items.map(showFile) },
      };
    },
  ),

  QueryDeviceFile: defineOperation({ ...deviceSelector, FileId: "text" }, async (input, { registry, deviceServices }) => {
    const device = await findSelectedDevice(input, registry);
    const { file, url } = await deviceServices.files.link(device, input.FileId);
    return { Data: { ...showFile(file), DownloadUrl: url } };
  }),

  DeleteDeviceFile: defineOperation({ ...deviceSelector, FileId: "text" }, async (input, { registry, deviceServices }) => {
    await deviceServices.files.remove(await findSelectedDevice(input, registry), input.FileId);
    return {};
  }),
};
