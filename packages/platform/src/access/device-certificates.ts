/** Devices that prove themselves with a client certificate (alibaba-device.md, 2.7). */
import { X509Certificate } from "node:crypto";
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { AccessLimits } from "./limits.ts";

export interface DeviceCertificate {
  productKey: string;
  deviceName: string;
  /** SHA-256, lower-case hexadecimal. */
  fingerprint: string;
  serialNumber: string;
  /** PEM. */
  certificate: string;
  expiresAt: number;
  createdAt: number;
}

export interface DeviceCertificateStore {
  insert(certificate: DeviceCertificate, certificatesMax: number): Promise<"ok" | "duplicate" | "too_many" | "no_device">;
  find(fingerprint: string): Promise<DeviceCertificate | undefined>;
  list(productKey: string, deviceName: string): Promise<DeviceCertificate[]>;
  /** False when there was none. */
  remove(productKey: string, deviceName: string, fingerprint: string): Promise<boolean>;
}

/** What the platform's CA made: the key is told once and kept nowhere. */
interface IssuedCertificate {
  certificatePem: string;
  keyPem: string;
  caPem: string;
}

export interface DeviceCertificatesPorts {
  registry: Pick<Registry, "getDevice" | "findProduct">;
  store: DeviceCertificateStore;
  /** The platform's CA. */
  issue(commonName: string): Promise<IssuedCertificate>;
  clock: Pick<Clock, "now">;
  limits: Pick<AccessLimits, "certificatesPerDeviceMax">;
}

/**
 * Throws `registry.*` for unknown names, `access.credential_kind` for a product of devices with secrets, `access.certificate_issuer` for
 * one that takes no certificates of this issuer.
 */
export interface DeviceCertificates {
  issue(productKey: string, deviceName: string): Promise<DeviceCertificate & IssuedCertificate>;
  /** One that another CA issued: known by its fingerprint. Throws `access.certificate_invalid`, `access.certificate_taken`. */
  register(productKey: string, deviceName: string, certificatePem: string): Promise<DeviceCertificate>;
  list(productKey: string, deviceName: string): Promise<DeviceCertificate[]>;
  /** Throws `access.certificate_not_found`. */
  remove(productKey: string, deviceName: string, fingerprint: string): Promise<void>;
  /** Called after a removal is stored. */
  onRemoved(listener: (removed: RemovedCertificate) => void): void;
}

export type RemovedCertificate = Pick<DeviceCertificate, "productKey" | "deviceName" | "fingerprint">;

export function createDeviceCertificates({ registry, store, issue, clock, limits }: DeviceCertificatesPorts): DeviceCertificates {
  const listeners: ((removed: RemovedCertificate) => void)[] = [];

  async function check(productKey: string, deviceName: string, issuer: "platform" | "other"): Promise<void> {
    await registry.getDevice(productKey, deviceName);
    const product = await registry.findProduct(productKey);
    if (product?.authType !== "x509") throw new PlatformError("access.credential_kind", { received: "a certificate", expected: "secret" });
    const expected = product.certificateIssuer ?? issuer;
    if (issuer !== expected) throw new PlatformError("access.certificate_issuer", { received: issuer, expected });
  }

  async function add(productKey: string, deviceName: string, pem: string): Promise<DeviceCertificate> {
    const parsed = parse(pem);
    const expiresAt = parsed.validToDate.getTime();
    const certificate: DeviceCertificate = {
      productKey,
      deviceName,
      fingerprint: parsed.fingerprint256.replaceAll(":", "").toLowerCase(),
      serialNumber: parsed.serialNumber,
      certificate: parsed.toString(),
      expiresAt,
      createdAt: clock.now(),
    };
    if (expiresAt <= clock.now()) throw invalid(`expired ${new Date(expiresAt).toISOString()}`);
    const outcome = await store.insert(certificate, limits.certificatesPerDeviceMax);
    if (outcome === "ok") return certificate;
    if (outcome === "no_device") throw new PlatformError("registry.device_not_found", { productKey, deviceName });
    const expected = limits.certificatesPerDeviceMax;
    if (outcome === "too_many") throw new PlatformError("access.too_many_certificates", { received: deviceName, expected });
    throw new PlatformError("access.certificate_taken", { received: certificate.fingerprint });
  }

  return {
    async issue(productKey, deviceName) {
      await check(productKey, deviceName, "platform");
      const issued = await issue(`${deviceName}.${productKey}`);
      return { ...(await add(productKey, deviceName, issued.certificatePem)), ...issued };
    },
    async register(productKey, deviceName, certificatePem) {
      await check(productKey, deviceName, "other");
      return add(productKey, deviceName, certificatePem);
    },
    async list(productKey, deviceName) {
      await registry.getDevice(productKey, deviceName);
      return store.list(productKey, deviceName);
    },
    async remove(productKey, deviceName, fingerprint) {
      await registry.getDevice(productKey, deviceName);
      if (await store.remove(productKey, deviceName, fingerprint)) {
        for (const listener of listeners) listener({ productKey, deviceName, fingerprint });
        return;
      }
      throw new PlatformError("access.certificate_not_found", { received: fingerprint.slice(0, 64) });
    },
    onRemoved: (listener) => void listeners.push(listener),
  };
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
}

function invalid(received: string): PlatformError {
  return new PlatformError("access.certificate_invalid", { received, expected: "a valid X.509 certificate in PEM" });
}
