import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { PlatformError } from "../../errors/index.ts";

/** A certificate with its key, read from files or just issued. `chain` is leaf first. */
export interface KeyPairFiles {
  certificatePem: string;
  keyPem: string;
  certificate: X509Certificate;
  key: KeyObject;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Undefined when the file does not exist. */
export async function readOptionalFile(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new PlatformError("front_door.certificate_storage_failed", { file, reason: reasonOf(error) }, { cause: error });
  }
}

/** Replaces the file in one step: a crash leaves the old content or the new, never half of it. */
export async function writeFileSafely(file: string, content: string, mode: number): Promise<void> {
  const temporary = `${file}.new`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await rm(temporary, { force: true });
    await writeFile(temporary, content, { mode, flush: true });
    await chmod(temporary, mode);
    await rename(temporary, file);
  } catch (error) {
    throw new PlatformError("front_door.certificate_storage_failed", { file, reason: reasonOf(error) }, { cause: error });
  }
}

/**
 * Loads `certificateFile` and `keyFile`; undefined when neither exists.
 *
 * @throws PlatformError `front_door.certificate_incomplete`, `front_door.certificate_damaged`,
 *   `front_door.certificate_key_mismatch`, `front_door.certificate_expired`, `front_door.certificate_storage_failed`
 */
export async function loadKeyPair(certificateFile: string, keyFile: string, now: number): Promise<KeyPairFiles | undefined> {
  const [certificatePem, keyPem] = await Promise.all([readOptionalFile(certificateFile), readOptionalFile(keyFile)]);
  if (certificatePem === undefined && keyPem === undefined) return undefined;
  if (certificatePem === undefined || keyPem === undefined) {
    const [present, missing] = certificatePem === undefined ? [keyFile, certificateFile] : [certificateFile, keyFile];
    throw new PlatformError("front_door.certificate_incomplete", { present, missing });
  }
  const certificate = parseCertificate(certificatePem, certificateFile);
  const key = parseKey(keyPem, keyFile);
  if (!certificate.checkPrivateKey(key)) {
    throw new PlatformError("front_door.certificate_key_mismatch", { certificate: certificateFile, key: keyFile });
  }
  if (certificate.validToDate.getTime() <= now) {
    throw new PlatformError("front_door.certificate_expired", { file: certificateFile, received: certificate.validTo });
  }
  return { certificatePem, keyPem, certificate, key };
}

function parseCertificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new PlatformError(
      "front_door.certificate_damaged",
      { file, reason: reasonOf(error), expected: "PEM certificates, the server's own first" },
      { cause: error },
    );
  }
}

function parseKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new PlatformError(
      "front_door.certificate_damaged",
      { file, reason: reasonOf(error), expected: "a PEM private key without pass phrase" },
      { cause: error },
    );
  }
}
