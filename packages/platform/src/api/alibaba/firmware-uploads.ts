/**
 * The vendor's way of bringing a file: ask for a form, post the form with the file in it, name the file by its address
 * (reference 1.8.M). The form is good for a while and cannot be changed: its policy is signed.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock, Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { FirmwareFile, Ota } from "../../ota/index.ts";
import type { AlibabaApiLimits } from "./limits.ts";

/** Where forms are posted to, below the API's own origin. */
export const firmwareUploadPath = "/alibaba/uploads";

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
  issue(origin: string, suffix: string): UploadForm;
  /** Takes the file of a form. Throws `alibaba.upload_form_invalid`, `alibaba.upload_form_expired` and what `ota.files.upload` throws. */
  accept(fields: Readonly<Record<string, string | undefined>>, pieces: AsyncIterable<Uint8Array>): Promise<FirmwareFile>;
  /** The file behind an address that `issue` gave. Throws `alibaba.firmware_url_unknown`. */
  find(firmwareUrl: string): Promise<FirmwareFile>;
}

export interface FirmwareUploadPorts {
  ota: Pick<Ota, "files">;
  clock: Pick<Clock, "now">;
  random: Random;
  limits: AlibabaApiLimits;
}

const keyPattern = /^ota\/[0-9a-f]{32}\/ota_[0-9]+\.[a-z.]+$/;

/** Forms and the addresses of their files are forgotten with the process: a file has to be put into a package within the hour. */
export function createFirmwareUploads({ ota, clock, random, limits }: FirmwareUploadPorts): FirmwareUploads {
  const signingKey = randomBytes(32);
  const fileIds = new Map<string, number>();
  const sign = (policy: string) => createHmac("sha1", signingKey).update(policy).digest("base64");

  return {
    issue(origin, suffix) {
      const createdAt = clock.now();
      const key = `ota/${Buffer.from(random.bytes(16)).toString("hex")}/ota_${createdAt}.${suffix}`;
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
      const file = await ota.files.upload(pieces);
      fileIds.delete(key);
      fileIds.set(key, file.id);
      if (fileIds.size > limits.uploadsRememberedMax) {
        const oldest = fileIds.keys().next();
        if (!oldest.done) fileIds.delete(oldest.value);
      }
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
