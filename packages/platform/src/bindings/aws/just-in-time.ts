/** Certificates that register themselves at their first connection (AWS reference 3.4: JITR, JITP). */
import { X509Certificate } from "node:crypto";
import type { AwsAccount } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { CertificateAuthority, Fleet, FleetCertificate } from "../../fleet/index.ts";
import type { AwsAnswers } from "./uplink.ts";

export interface JustInTimePorts {
  account: AwsAccount;
  fleet: Pick<Fleet, "certificates" | "authorities">;
  answers: Pick<AwsAnswers, "publish">;
  /** Runs the template of the CA (JITP) for a certificate that is not registered yet. */
  provision(certificatePem: string, authority: CertificateAuthority): Promise<void>;
  clock: Pick<Clock, "now">;
}

export interface JustInTime {
  /** Two connections of the same certificate at once register it once. Rejects when the template fails. */
  register(certificatePem: string, authority: CertificateAuthority): Promise<FleetCertificate>;
  /** Told at every attempt until somebody activates it. */
  announce(certificate: FleetCertificate): Promise<void>;
}

export function createJustInTime({ account, fleet, answers, provision, clock }: JustInTimePorts): JustInTime {
  async function announce(certificate: FleetCertificate): Promise<void> {
    const { id, caId, status, createdAt } = certificate;
    if (caId === undefined || status !== "PENDING_ACTIVATION") return;
    const payload = {
      certificateId: id,
      caCertificateId: caId,
      timestamp: clock.now(),
      certificateStatus: status,
      awsAccountId: account.accountId,
      certificateRegistrationTimestamp: createdAt,
    };
    answers.publish(`$aws/events/certificates/registered/${caId}`, Buffer.from(JSON.stringify(payload)));
  }

  async function registerOnly(certificatePem: string, id: string): Promise<FleetCertificate> {
    try {
      return await fleet.certificates.register(certificatePem, { status: "PENDING_ACTIVATION", isCaRequired: true });
    } catch (error) {
      const known = await fleet.certificates.find(id);
      if (known !== undefined && error instanceof PlatformError && error.code === "fleet.certificate_exists") return known;
      throw error;
    }
  }

  return {
    async register(certificatePem, authority) {
      const id = new X509Certificate(certificatePem).fingerprint256.replaceAll(":", "").toLowerCase();
      const { registration } = authority;
      if (registration?.templateBody !== undefined || registration?.templateName !== undefined) {
        await provision(certificatePem, authority);
        return fleet.certificates.get(id);
      }
      const certificate = await registerOnly(certificatePem, id);
      await announce(certificate);
      return certificate;
    },
    announce,
  };
}
