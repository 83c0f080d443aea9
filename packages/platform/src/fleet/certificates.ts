/** Client certificates, their status and where they come from (AW 3). No private key is kept. */
import { PlatformError } from "../errors/index.ts";
import { LoadingCache } from "../registry/index.ts";
import type { AuthorityBook } from "./authorities.ts";
import { isIssuedBy, nameOf, type ReadCertificate, readCertificate } from "./certificate-check.ts";
import type { FleetContext } from "./context.ts";
import { byTime, readPage } from "./cursor.ts";
import type { CertificateAuthority, CertificateStatus, Certificates, FleetCertificate } from "./fleet.ts";

const settableStatuses: readonly CertificateStatus[] = ["ACTIVE", "INACTIVE", "REVOKED"];

export function createFleetCertificates(
  context: FleetContext,
  authorities: Pick<AuthorityBook, "issuerOfCertificate" | "get">,
): Certificates {
  const { store, issuer, limits, clock, inTurn, emit } = context;
  const certificates = new LoadingCache<FleetCertificate>(limits.certificatesCachedMax);

  function find(id: string): Promise<FleetCertificate | undefined> {
    return certificates.get(id, async () => {
      const certificate = await store.certificates.find(id);
      // Many callers share it.
      return certificate && Object.freeze(certificate);
    });
  }

  async function need(id: string): Promise<FleetCertificate> {
    const certificate = await find(id);
    if (certificate === undefined) throw new PlatformError("fleet.certificate_not_found", { id });
    return certificate;
  }

  async function insert(read: ReadCertificate, status: CertificateStatus, origin: Pick<FleetCertificate, "mode" | "caId">) {
    const now = clock.now();
    const { id, pem, notBefore, notAfter } = read;
    const certificate: FleetCertificate = { id, status, pem, ...origin, notBefore, notAfter, createdAt: now, modifiedAt: now };
    const isNew = await store.certificates.insert(certificate);
    if (!isNew) throw new PlatformError("fleet.certificate_exists", { id, resourceId: id });
    certificates.forget(id);
    emit({ kind: "certificate.registered", certificate });
    return certificate;
  }

  /** The one given with it has to be a registered one too. */
  async function findIssuer({ x509 }: ReadCertificate, caPem: string | undefined): Promise<CertificateAuthority | undefined> {
    if (caPem === undefined) return authorities.issuerOfCertificate(x509);
    const given = readCertificate(caPem, "fleet.ca_invalid", limits);
    const authority = await authorities.get(given.id);
    return isIssuedBy(x509, given.x509) ? authority : undefined;
  }

  async function needIssuer(read: ReadCertificate, caPem: string | undefined): Promise<CertificateAuthority> {
    const authority = await findIssuer(read, caPem);
    if (authority === undefined) throw new PlatformError("fleet.certificate_untrusted", { received: nameOf(read.x509.issuer) });
    if (authority.status !== "ACTIVE") throw new PlatformError("fleet.ca_inactive", { id: authority.id });
    return authority;
  }

  return {
    find,
    peek: (id) => certificates.peek(id),
    get: need,

    async createWithKeys(wanted) {
      const status = typeof wanted === "string" ? wanted : wanted ? "ACTIVE" : "INACTIVE";
      const made = await issuer.createKeysAndCertificate();
      const read = readCertificate(made.certificatePem, "fleet.certificate_invalid", limits);
      const certificate = await insert(read, status, { mode: "DEFAULT" });
      return { certificate, publicKeyPem: made.publicKeyPem, privateKeyPem: made.privateKeyPem };
    },

    async createFromRequest(csrPem, status) {
      const bytes = Buffer.byteLength(csrPem);
      if (bytes > limits.certificatePemBytesMax) {
        throw new PlatformError("fleet.csr_invalid", { received: `${bytes} bytes`, expected: `at most ${limits.certificatePemBytesMax}` });
      }
      const pem = await issuer.signRequest(csrPem);
      return insert(readCertificate(pem, "fleet.certificate_invalid", limits), status, { mode: "DEFAULT" });
    },

    async register(pem, { status, isCaRequired, caPem }) {
      const read = readCertificate(pem, "fleet.certificate_invalid", limits);
      if (!isCaRequired) return insert(read, status, { mode: "SNI_ONLY" });
      const authority = await needIssuer(read, caPem);
      return insert(read, status, { mode: authority.mode, caId: authority.id });
    },

    async setStatus(id, status) {
      if (!settableStatuses.includes(status)) {
        throw new PlatformError("fleet.certificate_status", { received: status, expected: settableStatuses.join(", ") });
      }
      return inTurn(async () => {
        const before = await need(id);
        if (before.status === status) return before;
        await store.certificates.setStatus(id, status, clock.now());
        certificates.forget(id);
        emit({ kind: "certificate.status", certificateId: id, status });
        return need(id);
      });
    },

    async delete(id, isForced) {
      return inTurn(async () => {
        const { status } = await need(id);
        if (status === "ACTIVE") throw new PlatformError("fleet.certificate_active", { id });
        if (!isForced && (await store.certificates.isAttached(id))) throw new PlatformError("fleet.certificate_attached", { id });
        await store.certificates.remove(id);
        certificates.forget(id);
        emit({ kind: "permissions", certificateId: id });
        emit({ kind: "certificate.status", certificateId: id, status: "DELETED" });
      });
    },

    async list({ isAscending = false, ...page }, filter = {}) {
      return readPage(
        page,
        byTime(`certificates-${isAscending}`),
        limits,
        (slice) => store.certificates.list({ ...slice, isAscending }, filter),
        ({ createdAt, id }) => ({ time: createdAt, id }),
      );
    },
  };
}
