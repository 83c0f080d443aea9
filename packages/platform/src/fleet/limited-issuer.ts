/** A few certificates at a time: making keys takes threads of the pool that serves the disk too. */
import { PlatformError } from "../errors/index.ts";
import type { FleetLimits } from "./limits.ts";
import type { CertificateIssuer } from "./ports.ts";

type Bounds = Pick<FleetLimits, "certificatesIssuedAtOnceMax" | "certificatesWaitingMax">;

/** Throws `fleet.issuing_exceeded` when too many wait already. */
export function createLimitedIssuer(issuer: CertificateIssuer, limits: Bounds): CertificateIssuer {
  let active = 0;
  const waiting: (() => void)[] = [];

  async function inOrder<T>(issue: () => Promise<T>): Promise<T> {
    if (active >= limits.certificatesIssuedAtOnceMax) {
      const { certificatesWaitingMax: expected } = limits;
      if (waiting.length >= expected) throw new PlatformError("fleet.issuing_exceeded", { expected });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else active += 1;
    try {
      return await issue();
    } finally {
      const next = waiting.shift();
      if (next === undefined) active -= 1;
      else next();
    }
  }

  return {
    createKeysAndCertificate: () => inOrder(() => issuer.createKeysAndCertificate()),
    signRequest: (csrPem) => inOrder(() => issuer.signRequest(csrPem)),
  };
}
