/** Files that devices upload in blocks; an upload that broke off goes on where the bytes on the disk end. */
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { DeviceFile, DeviceFiles, DeviceNames, Upload, UploadRefusal } from "./device-services.ts";
import type { FileLinks } from "./file-links.ts";
import type { DeviceServicesLimits } from "./limits.ts";
import type { DeviceFileStore, FileFolder } from "./ports.ts";
import { createTurns } from "./turns.ts";

export interface DeviceFilesPorts {
  store: DeviceFileStore;
  folder: FileFolder;
  registry: Pick<Registry, "getDevice">;
  links: Pick<FileLinks, "link">;
  clock: Pick<Clock, "now">;
  random: Random;
  limits: DeviceServicesLimits;
}

const uploadIdBytes = 16;
const hourMilliseconds = 3_600_000;
/** Control characters: a name is shown to people and put into headers. */
const unfit = /\p{Cc}/u;

const refuse = (refused: UploadRefusal, reason: string) => ({ refused, reason });

export function createDeviceFiles(ports: DeviceFilesPorts): DeviceFiles & { clean(): Promise<void> } {
  const { store, folder, registry, links, clock, random, limits } = ports;
  const turns = createTurns();
  const keyOf = ({ productKey, deviceName }: DeviceNames): string => `${productKey}/${deviceName}`;

  async function erase(uploadId: string): Promise<void> {
    await store.delete(uploadId);
    await folder.delete(uploadId);
  }

  async function create(device: DeviceNames, name: string, bytes: number): Promise<Upload<{ file: DeviceFile }>> {
    const { total } = await store.list(device, { page: 1, pageSize: 1 });
    if (total >= limits.filesPerDeviceMax) return refuse("storage_full", `the device has ${total} files, as many as are kept`);
    if ((await store.totalBytes()) + Math.max(bytes, 0) > limits.filesBytesMax) {
      return refuse("storage_full", `all files together may have ${limits.filesBytesMax} bytes`);
    }
    const now = clock.now();
    const { productKey, deviceName } = device;
    const uploadId = random.bytes(uploadIdBytes).toString("hex");
    const file = { productKey, deviceName, uploadId, name, bytes, storedBytes: 0, isComplete: false, createdAt: now, modifiedAt: now };
    await store.insert(file);
    return { file };
  }

  async function begin(
    device: DeviceNames,
    { name, bytes, ifExists }: Parameters<DeviceFiles["begin"]>[1],
  ): Promise<Upload<{ file: DeviceFile }>> {
    if (name.length === 0 || name.length > limits.fileNameCharactersMax || unfit.test(name)) {
      return refuse("invalid", `fileName must have 1 to ${limits.fileNameCharactersMax} characters`);
    }
    if (!Number.isSafeInteger(bytes) || bytes === 0 || bytes < -1) return refuse("invalid", "fileSize must be above 0, or -1 when unknown");
    if (bytes > limits.fileBytesMax) return refuse("file_too_large", `a file may have ${limits.fileBytesMax} bytes`);
    const known = await store.findByName(device, name);
    if (known === undefined) return create(device, name, bytes);
    if (known.isComplete) {
      // The old one goes when the new one is complete.
      return ifExists === "overwrite" ? create(device, name, bytes) : refuse("name_taken", "a file of that name exists");
    }
    const isFresh = known.modifiedAt > clock.now() - limits.unfinishedUploadHours * hourMilliseconds;
    if (ifExists === "append" && isFresh && (known.bytes === bytes || bytes === -1)) return { file: known };
    await erase(known.uploadId);
    return begin(device, { name, bytes, ifExists });
  }

  async function append(
    device: DeviceNames,
    { uploadId, offset, bytes, isComplete, isIntact }: Parameters<DeviceFiles["append"]>[1],
  ): Promise<Upload<{ file: DeviceFile }>> {
    const file = await store.find(device, uploadId);
    if (file === undefined) return refuse("upload_unknown", "there is no such upload");
    if (file.isComplete) return refuse("upload_finished", "the upload is complete");
    if (bytes.byteLength > limits.blockBytesMax) return refuse("block_too_large", `a block may have ${limits.blockBytesMax} bytes`);
    if (!isIntact) return refuse("block_damaged", "the checksum is wrong");
    if (offset !== file.storedBytes) return refuse("offset_mismatch", `${file.storedBytes} bytes are stored`);
    const storedBytes = offset + bytes.byteLength;
    const isKnown = file.bytes >= 0;
    if (storedBytes > limits.fileBytesMax) return refuse("file_too_large", `a file may have ${limits.fileBytesMax} bytes`);
    if (isKnown && storedBytes > file.bytes) return refuse("invalid", `the file was announced with ${file.bytes} bytes`);
    const isEnd = isKnown ? storedBytes === file.bytes : isComplete;
    if (isKnown && isComplete && !isEnd) return refuse("invalid", `${file.bytes - storedBytes} bytes are missing`);
    if (!isEnd && bytes.byteLength < limits.blockBytesMin) {
      return refuse("block_too_small", `a block that is not the last has at least ${limits.blockBytesMin} bytes`);
    }
    if (!isKnown && (await store.totalBytes()) + bytes.byteLength > limits.filesBytesMax) {
      return refuse("storage_full", `all files together may have ${limits.filesBytesMax} bytes`);
    }
    await folder.write(uploadId, offset, bytes);
    const change = { storedBytes, isComplete: isEnd, bytes: isEnd ? storedBytes : file.bytes, modifiedAt: clock.now() };
    await store.update(uploadId, change);
    if (isEnd) await eraseOlder(device, file);
    return { file: { ...file, ...change } };
  }

  async function eraseOlder(device: DeviceNames, { name, uploadId }: DeviceFile): Promise<void> {
    for (const older of await store.othersOfName(device, name, uploadId)) await erase(older.uploadId);
  }

  async function need(device: DeviceNames, uploadId: string): Promise<DeviceFile> {
    const file = await store.find(device, uploadId);
    if (file === undefined) throw new PlatformError("device_services.file_not_found", { deviceName: device.deviceName, uploadId });
    return file;
  }

  async function needComplete(device: DeviceNames, uploadId: string): Promise<DeviceFile> {
    const file = await need(device, uploadId);
    if (!file.isComplete) throw new PlatformError("device_services.file_unfinished", { uploadId, received: file.storedBytes });
    return file;
  }

  async function* read({ uploadId, bytes }: DeviceFile): AsyncGenerator<Buffer> {
    for (let offset = 0; offset < bytes; offset += limits.blockBytesMax) {
      yield await folder.read(uploadId, offset, Math.min(limits.blockBytesMax, bytes - offset));
    }
  }

  return {
    begin: (device, request) => turns.take(keyOf(device), () => begin(device, request)),

    append(device, block) {
      const copied = { ...block, bytes: Uint8Array.from(block.bytes) };
      return turns.take(keyOf(device), () => append(device, copied));
    },

    cancel: (device, uploadId) =>
      turns.take<Upload<{ uploadId: string }>>(keyOf(device), async () => {
        const file = await store.find(device, uploadId);
        if (file === undefined) return refuse("upload_unknown", "there is no such upload");
        if (file.isComplete) return refuse("upload_finished", "the upload is complete");
        await erase(uploadId);
        return { uploadId };
      }),

    async list(device, page) {
      await registry.getDevice(device.productKey, device.deviceName);
      const { rows, total } = await store.list(device, page);
      return { items: rows, total };
    },

    async link(device, uploadId) {
      return { file: await needComplete(device, uploadId), url: links.link("d", uploadId) };
    },

    async open(device, uploadId) {
      const file = await needComplete(device, uploadId);
      return { file, pieces: read(file) };
    },

    remove: (device, uploadId) =>
      turns.take(keyOf(device), async () => {
        await need(device, uploadId);
        await erase(uploadId);
      }),

    /** Uploads that nobody goes on with, and bytes whose device is gone. */
    async clean() {
      const before = clock.now() - limits.unfinishedUploadHours * hourMilliseconds;
      for (const file of await store.stale(before)) await turns.take(keyOf(file), () => erase(file.uploadId));
      for (const uploadId of await folder.list()) {
        if ((await store.findByUploadId(uploadId)) === undefined) await folder.delete(uploadId);
      }
    },
  };
}
