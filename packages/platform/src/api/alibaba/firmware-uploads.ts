/**
 * The vendor's way of bringing a file: ask for a form, post the form with the file in it, name the file by its address
 * (reference 1.8.M). The form is good for a while and cannot be changed: its policy is signed.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock, Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { FirmwareFile, Ota } from "../../ota/index.ts";
import type { AlibabaApiLimits } from "./limits.ts";

/** Where forms are posted to, below the API's own origin. */
export const firmwareUploadPath = "/alibaba/uploads";

/** What the file is for: firmware, or something that the devices of a job download. */
type UploadPurpose = "ota" | "job";

/** What a caller is told to put into its form. */
interface UploadForm {
  host: string;
  key: string;
  accessKeyId: string;
  policy: string;
  signature: string;
  /** What names the file afterwards. */
  firmwareUrl: string;
  createdAt: number;
}

export interface FirmwareUploads {
  /** `suffix` without the dot, as `bin` or `tar.gz`. */
  issue(origin: string, suffix: string, purpose: UploadPurpose): UploadForm;
  /**
   * Takes the file of a form. Throws `alibaba.upload_form_invalid`, `alibaba.upload_form_expired`, `alibaba.job_file_too_large` and
   * what `ota.files.upload` throws.
   */
  accept(fields: Readonly<Record<string, string | undefined>>, pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** The file behind an address that `issue` gave. Throws `alibaba.firmware_url_unknown`. */
  find(firmwareUrl: string): Promise<FirmwareFile>;
  /** The file of a job, by the key of its form. Throws `alibaba.job_file_unknown`. */
  findJobFile(key: string): Uint8Array;
}

export interface FirmwareUploadPorts {
  ota: Pick<Ota, "files">;
  clock: Pick<Clock, "now">;
  random: Random;
  limits: AlibabaApiLimits;
}

const signingKeyBytes = 32;
const keyPattern = /^(ota|job)\/[0-9a-f]{32}\/\1_[0-9]+\.[a-z.]+$/;

/** Forms and the addresses of their files are forgotten with the process: a file has to be put into a package within the hour. */
export function createFirmwareUploads({ ota, clock, random, limits }: FirmwareUploadPorts): FirmwareUploads {
  const signingKey = random.bytes(signingKeyBytes);
  const fileIds = new Map<string, number>();
  const jobFiles = new Map<string, Buffer>();
  const sign = (policy: string) => createHmac("sha1", signingKey).update(policy).digest("base64");

  /** The newest of that name; the oldest is forgotten when there are too many. */
  function remember<T>(files: Map<string, T>, key: string, file: T, filesMax: number): void {
    files.delete(key);
    files.set(key, file);
    if (files.size <= filesMax) return;
    const oldest = files.keys().next();
    if (!oldest.done) files.delete(oldest.value);
  }

  async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const collected: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of pieces) {
      bytes += piece.byteLength;
      if (bytes > limits.jobUploadBytesMax) throw new PlatformError("alibaba.job_file_too_large", { expected: limits.jobUploadBytesMax });
      collected.push(piece);
    }
    return Buffer.concat(collected);
  }

  return {
    issue(origin, suffix, purpose) {
      const createdAt = clock.now();
      const key = `${purpose}/${Buffer.from(random.bytes(16)).toString("hex")}/${purpose}_${createdAt}.${suffix}`;
      const expiration = new Date(createdAt + limits.uploadFormSeconds * 1000).toISOString();
      const policy = Buffer.from(JSON.stringify({ expiration, conditions: [["eq", "$key", key]] })).toString("base64");
      return {
        host: `${origin}${firmwareUploadPath}`,
        key,
        // Of no use elsewhere: it only fills the form's field.
        accessKeyId: "thingstead-upload",
        policy,
        signature: sign(policy),
        firmwareUrl: `${origin}${firmwareUploadPath}/${key}`,
        createdAt,
      };
    },

    async accept({ key = "", policy = "", signature = "" }, pieces) {
      const expected = Buffer.from(sign(policy));
      const received = Buffer.from(signature);
      if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
        throw new PlatformError("alibaba.upload_form_invalid", {
          received: "another policy or signature",
          expected: "the form as it was issued",
        });
      }
      const { expiration, conditions } = readPolicy(policy);
      if (conditions[0]?.[2] !== key || !keyPattern.test(key)) {
        throw new PlatformError("alibaba.upload_form_invalid", {
          received: `key ${key.slice(0, 100)}`,
          expected: "the key that was issued",
        });
      }
      if (Date.parse(expiration) < clock.now()) throw new PlatformError("alibaba.upload_form_expired", { received: expiration });
      if (key.startsWith("job/")) return remember(jobFiles, key, await collect(pieces), limits.jobUploadsRememberedMax);
      remember(fileIds, key, (await ota.files.upload(pieces)).id, limits.uploadsRememberedMax);
    },

    findJobFile(key) {
      const file = jobFiles.get(key);
      if (file === undefined) throw new PlatformError("alibaba.job_file_unknown", { received: key.slice(0, 200) });
      return file;
    },

    async find(firmwareUrl) {
      const at = firmwareUrl.indexOf(`${firmwareUploadPath}/`);
      const key = at < 0 ? "" : firmwareUrl.slice(at + firmwareUploadPath.length + 1).replace(/[?#].*$/, "");
      const id = fileIds.get(key);
      const file = id === undefined ? undefined : await ota.files.find(id);
      if (file === undefined) throw new PlatformError("alibaba.firmware_url_unknown", { received: firmwareUrl.slice(0, 200) });
      return file;
    },
  };
}

/** Its signature was checked: it is what `issue` wrote. */
function readPolicy(policy: string): { expiration: string; conditions: [string, string, string][] } {
  return JSON.parse(Buffer.from(policy, "base64").toString());
}
