/** CAs that customers registered: they sign certificates that may register themselves (AW 3.4). */
import { X509Certificate } from "node:crypto";
import { PlatformError } from "../errors/index.ts";
import { LoadingCache } from "../registry/index.ts";
import { commonNameOf, isIssuedBy, nameOf, readCertificate } from "./certificate-check.ts";
import { shown } from "./checks.ts";
import type { FleetContext } from "./context.ts";
import { byTime, readPage } from "./cursor.ts";
import type { CertificateAuthorities, CertificateAuthority } from "./fleet.ts";

export interface AuthorityBook extends CertificateAuthorities {
  issuerOfCertificate(x509: X509Certificate): Promise<CertificateAuthority | undefined>;
}

const codeFamily = "fleet-account";
const codeName = "registration-code";
/** 64 hexadecimal digits, as the vendor's. */
const codeBytes = 32;

interface KnownAuthority {
  authority: CertificateAuthority;
  x509: X509Certificate;
}

export function createAuthorities(context: FleetContext): AuthorityBook {
  const { store, limits, clock, random, inTurn } = context;
  const bySubject = new LoadingCache<readonly KnownAuthority[]>(limits.authoritiesCachedMax);

  async function need(id: string): Promise<CertificateAuthority> {
    const authority = await store.authorities.find(id);
    if (authority === undefined) throw new PlatformError("fleet.ca_not_found", { id });
    return authority;
  }

  async function withSubject(subject: string): Promise<readonly KnownAuthority[]> {
    const known = await bySubject.get(subject, async () => {
      const found = await store.authorities.withSubject(subject);
      const parsed = found.map((authority) => ({ authority: Object.freeze(authority), x509: new X509Certificate(authority.pem) }));
      // Leaves of unknown issuers come from outside: they must not fill the memory.
      return parsed.length === 0 ? undefined : parsed;
    });
    return known ?? [];
  }

  async function issuerOfCertificate(x509: X509Certificate): Promise<CertificateAuthority | undefined> {
    const candidates = await withSubject(nameOf(x509.issuer));
    return candidates.find((candidate) => isIssuedBy(x509, candidate.x509))?.authority;
  }

  async function findCode(): Promise<string | undefined> {
    const text = await store.records.find(codeFamily, codeName);
    return text === undefined ? undefined : (JSON.parse(text) as { code: string }).code;
  }

  async function checkPossession(verificationPem: string | undefined, authority: X509Certificate): Promise<void> {
    const refuse = (received: string, expected: string): never => {
      throw new PlatformError("fleet.registration_code_invalid", { received, expected });
    };
    if (verificationPem === undefined) return refuse("no verification certificate", "one that the CA signed");
    const { x509 } = readCertificate(verificationPem, "fleet.registration_code_invalid", limits);
    if (!isIssuedBy(x509, authority))
      return refuse(`one that ${nameOf(x509.issuer)} signed`, `one that ${nameOf(authority.subject)} signed`);
    const code = await findCode();
    const commonName = commonNameOf(x509);
    if (code === undefined) return refuse("no registration code was ever asked for", "the registration code as common name");
    if (commonName !== code) refuse(`the common name ${shown(commonName ?? "")}`, "the registration code");
  }

  function checkRegistration(registration: CertificateAuthority["registration"]): void {
    if (registration === undefined) return;
    const { templateBody, templateName } = registration;
    const refuse = (received: string, expected: string): never => {
      throw new PlatformError("fleet.invalid_registration", { received, expected });
    };
    if (templateBody !== undefined && templateName !== undefined) refuse("a template's text and a name", "one of them");
    const { registrationTemplateCharactersMax: charactersMax } = limits;
    if ((templateBody?.length ?? 0) > charactersMax) refuse(`${templateBody?.length} characters`, `at most ${charactersMax}`);
  }

  return {
    issuerOfCertificate,
    get: need,

    async registrationCode() {
      return inTurn(async () => {
        const known = await findCode();
        if (known !== undefined) return known;
        const code = random.bytes(codeBytes).toString("hex");
        await store.records.put(codeFamily, codeName, JSON.stringify({ code }));
        return code;
      });
    },

    async deleteRegistrationCode() {
      await store.records.remove(codeFamily, codeName);
    },

    async register(pem, { verificationPem, mode, isActive, isAutoRegistering, registration }) {
      const read = readCertificate(pem, "fleet.ca_invalid", limits);
      if (!read.x509.ca) {
        const expected = "a certificate whose basic constraints say CA:TRUE";
        throw new PlatformError("fleet.ca_invalid", { received: "a certificate of no CA", expected });
      }
      if (mode === "DEFAULT") await checkPossession(verificationPem, read.x509);
      checkRegistration(registration);
      return inTurn(async () => {
        const { id, notBefore, notAfter } = read;
        const subject = nameOf(read.x509.subject);
        const known = await withSubject(subject);
        if (known.some(({ authority }) => authority.id === id)) throw new PlatformError("fleet.ca_exists", { id, resourceId: id });
        const { authoritiesPerSubjectMax: expected } = limits;
        if (known.length >= expected) throw new PlatformError("fleet.cas_exceeded", { received: subject, expected });
        const now = clock.now();
        const authority: CertificateAuthority = {
          id,
          status: isActive ? "ACTIVE" : "INACTIVE",
          pem: read.pem,
          isAutoRegistering,
          mode,
          ...(registration !== undefined && { registration }),
          notBefore,
          notAfter,
          createdAt: now,
          modifiedAt: now,
        };
        await store.authorities.insert({ ...authority, subject });
        bySubject.forget(subject);
        return authority;
      });
    },

    async issuerOf(leafDer) {
      const leaf = parseDer(leafDer);
      return leaf && issuerOfCertificate(leaf);
    },

    async update(id, { status, isAutoRegistering, registration }) {
      if (registration !== null) checkRegistration(registration);
      return inTurn(async () => {
        const { registration: registrationBefore, ...before } = await need(id);
        const registrationAfter = registration === null ? undefined : (registration ?? registrationBefore);
        const authority: CertificateAuthority = {
          ...before,
          status: status ?? before.status,
          isAutoRegistering: isAutoRegistering ?? before.isAutoRegistering,
          ...(registrationAfter !== undefined && { registration: registrationAfter }),
          modifiedAt: clock.now(),
        };
        await store.authorities.update(authority);
        bySubject.forget(subjectOf(authority));
        return authority;
      });
    },

    async delete(id) {
      return inTurn(async () => {
        const authority = await need(id);
        if (authority.status === "ACTIVE") throw new PlatformError("fleet.ca_active", { id });
        await store.authorities.remove(id);
        bySubject.forget(subjectOf(authority));
      });
    },

    async list({ isAscending = false, ...page }, filter = {}) {
      return readPage(
        page,
        byTime(`authorities-${isAscending}`),
        limits,
        (slice) => store.authorities.list({ ...slice, isAscending }, filter),
        ({ createdAt, id }) => ({ time: createdAt, id }),
      );
    },
  };
}

/** A client may present what OpenSSL took and Node cannot read: nobody we know issued it. */
function parseDer(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

function subjectOf({ pem }: CertificateAuthority): string {
  return nameOf(new X509Certificate(pem).subject);
}
