/** Certificates that wait for their device, and the tokens that prove whose they are. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock, Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { Fleet, FleetCertificate } from "../fleet.ts";
import { createExpiryBook, type Expiring } from "./expiry-book.ts";
import type { ProvisioningLimits } from "./limits.ts";

export interface Ownership {
  /** Throws `provisioning.certificates_exceeded`. */
  checkRoom(): void;
  /** The token of a certificate that was just made. */
  hold(certificateId: string): Promise<string>;
  /** The certificate that the token proves. Throws `provisioning.token_missing`, `provisioning.token_invalid`. */
  check(token: string): Promise<FleetCertificate>;
  /** It has its device now. */
  release(certificateId: string): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface OwnershipPorts {
  fleet: Pick<Fleet, "certificates" | "records">;
  clock: Clock;
  random: Random;
  limits: ProvisioningLimits;
  onFailure(error: unknown): void;
}

interface Held extends Expiring {
  /** SHA-256 of the token's secret part, hexadecimal. */
  secretHash: string;
}

const certificateIdBytes = 32;
const secretBytes = 32;

export function createOwnership({ fleet, clock, random, limits, onFailure }: OwnershipPorts): Ownership {
  const held = createExpiryBook<Held>({
    records: fleet.records,
    family: "certificate-ownership",
    clock,
    onFailure,
    async onExpired(id) {
      const certificate = await fleet.certificates.find(id);
      if (certificate?.status !== "PENDING_ACTIVATION") return;
      await fleet.certificates.delete(id, false).catch((error: unknown) => {
        // Somebody gave it a thing or a policy meanwhile: it is theirs.
        if (!(error instanceof PlatformError && error.code === "fleet.certificate_attached")) throw error;
      });
    },
  });
  const invalid = () => new PlatformError("provisioning.token_invalid", { ownershipSeconds: limits.ownershipSeconds });

  return {
    checkRoom() {
      const { pendingCertificatesMax: expected } = limits;
      if (held.size >= expected) throw new PlatformError("provisioning.certificates_exceeded", { expected });
    },
    async hold(certificateId) {
      const secret = random.bytes(secretBytes);
      await held.put(certificateId, {
        secretHash: createHash("sha256").update(secret).digest("hex"),
        expiresAt: clock.now() + limits.ownershipSeconds * 1000,
      });
      return Buffer.concat([Buffer.from(certificateId, "hex"), secret]).toString("base64url");
    },
    async check(token) {
      if (token === "") throw new PlatformError("provisioning.token_missing");
      const bytes = Buffer.from(token, "base64url");
      if (bytes.length !== certificateIdBytes + secretBytes) throw invalid();
      const id = bytes.subarray(0, certificateIdBytes).toString("hex");
      const found = held.find(id);
      const hash = createHash("sha256").update(bytes.subarray(certificateIdBytes)).digest();
      if (found === undefined || !timingSafeEqual(hash, Buffer.from(found.secretHash, "hex"))) throw invalid();
      const certificate = await fleet.certificates.find(id);
      if (certificate === undefined) throw invalid();
      return certificate;
    },
    async release(certificateId) {
      await held.remove(certificateId);
    },
    start: () => held.start(),
    close: () => held.close(),
  };
}
