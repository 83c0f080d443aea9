/** Claim certificates of trusted users: good for minutes, for one template. */
import { type AwsAccount, arnOf } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { Fleet, FleetCertificate } from "../fleet.ts";
import { createExpiryBook, type Expiring } from "./expiry-book.ts";
import type { ProvisioningLimits } from "./limits.ts";
import type { ProvisioningTemplates } from "./template-book.ts";

interface ProvisioningClaim {
  certificate: FleetCertificate;
  publicKeyPem: string;
  privateKeyPem: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

export interface Claims {
  create(templateName: string): Promise<ProvisioningClaim>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface ClaimPorts {
  fleet: Pick<Fleet, "certificates" | "policies" | "records">;
  account: AwsAccount;
  clock: Clock;
  templates: Pick<ProvisioningTemplates, "get">;
  limits: ProvisioningLimits;
  onFailure(error: unknown): void;
}

export function createClaims({ fleet, account, clock, templates, limits, onFailure }: ClaimPorts): Claims {
  const claims = createExpiryBook<Expiring>({
    records: fleet.records,
    family: "provisioning-claims",
    clock,
    onFailure,
    async onExpired(id) {
      if ((await fleet.certificates.find(id)) === undefined) return;
      // Its sessions end with this.
      await fleet.certificates.setStatus(id, "INACTIVE");
      await fleet.certificates.delete(id, true);
    },
  });

  return {
    async create(templateName) {
      const { isEnabled } = await templates.get(templateName);
      if (!isEnabled) throw new PlatformError("provisioning.template_disabled", { name: templateName });
      if (claims.size >= limits.claimsMax) throw new PlatformError("provisioning.certificates_exceeded", { expected: limits.claimsMax });
      const document = claimDocument(account, templateName);
      const policyName = `ProvisioningClaim_${templateName}`;
      await createPolicy(policyName, document);
      const { certificate, publicKeyPem, privateKeyPem } = await fleet.certificates.createWithKeys(false);
      const expiresAt = clock.now() + limits.claimSeconds * 1000;
      // Before it can connect: a claim without an end would be a key to the house.
      await claims.put(certificate.id, { expiresAt });
      await fleet.policies.attach(policyName, { kind: "certificate", id: certificate.id });
      const active = await fleet.certificates.setStatus(certificate.id, "ACTIVE");
      return { certificate: active, publicKeyPem, privateKeyPem, expiresAt };
    },
    start: () => claims.start(),
    close: () => claims.close(),
  };

  /** One that an administrator has changed stays as it is. */
  async function createPolicy(name: string, document: string): Promise<void> {
    try {
      await fleet.policies.create(name, document);
    } catch (error) {
      if (!(error instanceof PlatformError && error.code === "fleet.policy_exists")) throw error;
    }
  }
}

/** AW 13: what a claim must be allowed, and no more. */
function claimDocument(account: AwsAccount, templateName: string): string {
  const topics = [
    "$aws/certificates/create/*",
    "$aws/certificates/create-from-csr/*",
    `$aws/provisioning-templates/${templateName}/provision/*`,
  ];
  const arns = (kind: "topic" | "topicfilter") => topics.map((topic) => arnOf(account, `${kind}/${topic}`));
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "iot:Connect", Resource: "*" },
      { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: arns("topic") },
      { Effect: "Allow", Action: "iot:Subscribe", Resource: arns("topicfilter") },
    ],
  });
}
