/** What is behind the signed links: configurations, files of jobs, files of devices. */
import type { ErrorDetails } from "../errors/index.ts";
import type { FileLinks } from "./file-links.ts";
import type { ConfigStore, DeviceFileStore, FileFolder, JobStore } from "./ports.ts";

interface LinkedFileRequest {
  path: string;
  range: string | undefined;
}

type LinkedFileAnswer =
  | {
      kind: "file";
      status: 200 | 206;
      contentType: string;
      headers: Readonly<Record<string, string>>;
      /** Of this answer. */
      bytes: number;
      /** `offset` within this answer. */
      read(offset: number, bytes: number): Promise<Uint8Array> | Uint8Array;
    }
  | { kind: "refused"; code: string; details: ErrorDetails };

export interface LinkedFiles {
  answer(request: LinkedFileRequest): Promise<LinkedFileAnswer>;
}

export interface LinkedFilesPorts {
  links: Pick<FileLinks, "read">;
  configs: Pick<ConfigStore, "content">;
  jobs: Pick<JobStore, "load">;
  files: Pick<DeviceFileStore, "findByUploadId">;
  folder: Pick<FileFolder, "read">;
}

interface Found {
  bytes: number;
  name: string;
  contentType: string;
  read(offset: number, bytes: number): Promise<Uint8Array> | Uint8Array;
}

const binary = "application/octet-stream";

export function createLinkedFiles({ links, configs, jobs, files, folder }: LinkedFilesPorts): LinkedFiles {
  function inMemory(content: Buffer, name: string, contentType: string): Found {
    return { bytes: content.byteLength, name, contentType, read: (offset, bytes) => content.subarray(offset, offset + bytes) };
  }

  const finders = {
    async c(id: string): Promise<Found | undefined> {
      const found = await configs.content(Number(id));
      return found && inMemory(found.content, "config.json", "application/json");
    },
    async j(id: string): Promise<Found | undefined> {
      const content = (await jobs.load(id))?.content;
      return content && inMemory(content.bytes, "job-file", binary);
    },
    async d(id: string): Promise<Found | undefined> {
      const file = await files.findByUploadId(id);
      if (file?.isComplete !== true) return undefined;
      return { bytes: file.bytes, name: file.name, contentType: binary, read: (offset, bytes) => folder.read(id, offset, bytes) };
    },
  };

  return {
    async answer({ path, range }) {
      const link = links.read(path);
      if (link === "invalid") return { kind: "refused", code: "device_services.link_invalid", details: {} };
      if (link === "expired") return { kind: "refused", code: "device_services.link_expired", details: {} };
      const found = await finders[link.kind](link.id);
      if (found === undefined) return { kind: "refused", code: "device_services.link_gone", details: {} };
      const part = readRange(range, found.bytes);
      if (part === "unsatisfiable") {
        const details = { received: (range ?? "").slice(0, 60), expected: found.bytes };
        return { kind: "refused", code: "device_services.range_unsatisfiable", details };
      }
      const { first, last } = part ?? { first: 0, last: found.bytes - 1 };
      return {
        kind: "file",
        status: part === undefined ? 200 : 206,
        contentType: found.contentType,
        headers: {
          ...(part === undefined ? {} : { "Content-Range": `bytes ${first}-${last}/${found.bytes}` }),
          "Accept-Ranges": "bytes",
          // What a device named and wrote is saved, not shown: it is no page of this server.
          "Content-Disposition": `attachment; filename*=UTF-8''${encodeFileName(found.name)}`,
          "X-Content-Type-Options": "nosniff",
        },
        bytes: last - first + 1,
        read: (offset, bytes) => found.read(first + offset, bytes),
      };
    },
  };
}

/** RFC 8187: what is no attribute character is percent-encoded. A name that is no Unicode text is named by its kind. */
function encodeFileName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** One range from a first byte (RFC 9110 section 14.1.2); anything else is answered with the whole file. */
function readRange(range: string | undefined, bytes: number): { first: number; last: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(range ?? "");
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === "" ? bytes - 1 : Math.min(Number(match[2]), bytes - 1);
  return first >= bytes || last < first ? "unsatisfiable" : { first, last };
}
