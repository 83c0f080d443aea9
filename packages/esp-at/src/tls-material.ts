/** The certificates for one TLS connection, from flash, with the faults that are played. */
import type { ModemFaults } from "./faults.ts";
import type { CertificateKind, CertificateUse, Flash } from "./flash.ts";

export interface TlsMaterial {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

export function findTlsMaterial(wanted: {
  flash: Flash;
  faults: ModemFaults;
  use: CertificateUse;
  certificateSlot?: number;
  slot: number;
  sendsCertificate: boolean;
  verifies: boolean;
}): TlsMaterial | { missing: CertificateKind } {
  const { flash, faults, use, slot, certificateSlot = slot } = wanted;
  const material: TlsMaterial = {};
  if (wanted.verifies) {
    const ca = flash.certificate(use, "ca", slot);
    if (ca === undefined) return { missing: "ca" };
    // A trust store without the issuer refuses everybody.
    material.ca = faults.tls === "untrusted-server" ? Buffer.alloc(0) : ca;
  }
  if (wanted.sendsCertificate && faults.tls !== "no-client-certificate") {
    const cert = flash.certificate(use, "cert", certificateSlot);
    if (cert === undefined) return { missing: "cert" };
    const key = flash.certificate(use, "key", certificateSlot);
    if (key === undefined) return { missing: "key" };
    material.cert = faults.tls === "damaged-client-certificate" ? damage(cert) : cert;
    material.key = key;
  }
  return material;
}

/** As a write that was cut off leaves it. */
function damage(pem: Buffer): Buffer {
  return pem.subarray(0, Math.floor(pem.length / 2));
}
