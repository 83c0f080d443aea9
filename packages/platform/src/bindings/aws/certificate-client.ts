/** Clients whose TLS certificate is in the registry, or was issued by a registered CA (AWS reference 2.3, 3). */
import { X509Certificate } from "node:crypto";
import { type CertificateNames, readCertificateNames } from "@thingstead/dialects";
import type { ConnectionFacts, Refusal } from "@thingstead/mqtt";
import type { Clock } from "../../clock.ts";
import type { CertificateAuthority, Fleet, FleetCertificate } from "../../fleet/index.ts";
import type { ConnectContext, Permissions, ProofRefusal, ProvenClient } from "./client.ts";
import type { JustInTime } from "./just-in-time.ts";
import type { PolicyBook } from "./policies.ts";

export interface CertificateClientPorts {
  fleet: Pick<Fleet, "certificates" | "authorities" | "factsOf">;
  policyBook: PolicyBook;
  justInTime: JustInTime;
  clock: Pick<Clock, "now">;
}

type ClientCertificate = NonNullable<NonNullable<ConnectionFacts["tls"]>["clientCertificate"]>;

/** HTTPS requests have no client id. */
type CertificateContext = Omit<ConnectContext, "clientId"> & Partial<Pick<ConnectContext, "clientId">>;

export interface CertificateClients {
  /** Undefined: nobody here knows the certificate. */
  prove(presented: ClientCertificate, context: CertificateContext): Promise<ProvenClient | ProofRefusal | undefined>;
}

export function createCertificateClients({ fleet, policyBook, justInTime, clock }: CertificateClientPorts): CertificateClients {
  const { certificates, authorities } = fleet;
  const namesOf = new WeakMap<FleetCertificate, { names: CertificateNames | undefined }>();

  function readNames(certificate: FleetCertificate): CertificateNames | undefined {
    const known = namesOf.get(certificate);
    if (known !== undefined) return known.names;
    const names = readCertificateNames(certificate.pem);
    namesOf.set(certificate, { names });
    return names;
  }

  function refusalOf(certificate: FleetCertificate, { domainName }: CertificateContext): Refusal | undefined {
    const { id, status, mode, notAfter } = certificate;
    if (status !== "ACTIVE") return { code: "access.certificate_inactive", received: `${id}: ${status}`, expected: "ACTIVE" };
    if (notAfter <= clock.now()) return { code: "access.certificate_expired", received: new Date(notAfter).toISOString() };
    if (mode === "SNI_ONLY" && domainName === undefined) {
      return { code: "access.server_name_missing", received: "no server name", expected: "a server name in the TLS handshake (SNI)" };
    }
    return undefined;
  }

  async function look(certificate: FleetCertificate, context: CertificateContext): Promise<Permissions> {
    const { policies, thing } = await fleet.factsOf(certificate.id, context.clientId);
    const names = readNames(certificate);
    const compiled = policyBook.compile(policies, {
      ...context,
      ...(names === undefined ? {} : { certificate: names }),
      ...(thing === undefined ? {} : { thing }),
    });
    return { policies: compiled, ...(thing === undefined ? {} : { thing }) };
  }

  async function admit(certificate: FleetCertificate, context: CertificateContext): Promise<ProvenClient | ProofRefusal> {
    const refusal = refusalOf(certificate, context);
    if (refusal !== undefined) return refusal;
    const permissions = await look(certificate, context);
    // Asked last, after what took its time: one deactivated meanwhile does not slip in.
    const now = certificates.peek(certificate.id) ?? (await certificates.find(certificate.id));
    const changed = now === undefined ? unregistered(certificate.id) : refusalOf(now, context);
    if (changed !== undefined) return changed;
    return {
      principal: { kind: "certificate", id: certificate.id },
      permissions,
      async look() {
        const current = await certificates.find(certificate.id);
        if (current === undefined) return unregistered(certificate.id);
        return refusalOf(current, context) ?? look(current, context);
      },
    };
  }

  /** AWS reference 3.4: what a CA that registers automatically signed is registered, and the connection dropped. */
  async function meet(leaf: Uint8Array, authority: CertificateAuthority): Promise<ProofRefusal | undefined> {
    if (authority.status !== "ACTIVE" || !authority.isAutoRegistering) return undefined;
    const certificate = await justInTime.register(new X509Certificate(leaf).toString(), authority);
    return awaiting(certificate);
  }

  return {
    async prove(presented, context) {
      const { fingerprint } = presented;
      const peeked = certificates.peek(fingerprint);
      if (peeked !== undefined && peeked.status === "ACTIVE") return admit(peeked, context);
      const leaf = presented.chain?.()[0];
      const certificate = peeked ?? (await certificates.find(fingerprint));
      if (certificate?.status === "PENDING_ACTIVATION" && certificate.caId !== undefined) {
        await justInTime.announce(certificate);
        return awaiting(certificate);
      }
      if (certificate !== undefined) return admit(certificate, context);
      const authority = leaf === undefined ? undefined : await authorities.issuerOf(leaf);
      if (leaf === undefined || authority === undefined) return undefined;
      return (await meet(leaf, authority)) ?? unregistered(fingerprint);
    },
  };
}

function unregistered(certificateId: string): Refusal {
  return { code: "access.certificate_unregistered", received: certificateId, expected: "a certificate of the registry" };
}

function awaiting({ id, status }: FleetCertificate): ProofRefusal {
  return { code: "access.certificate_just_registered", received: `${id}: ${status}`, expected: "another connection", isSilent: true };
}
