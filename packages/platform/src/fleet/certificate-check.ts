/** Which certificates are taken (AW 3.3), and what is read off them. */
import { type KeyObject, X509Certificate } from "node:crypto";
import { PlatformError } from "../errors/index.ts";
import { shown } from "./checks.ts";
import type { FleetLimits } from "./limits.ts";

export interface ReadCertificate {
  /** SHA-256 of the DER, lower-case hexadecimal. */
  id: string;
  pem: string;
  notBefore: number;
  notAfter: number;
  x509: X509Certificate;
}

type Code = "fleet.certificate_invalid" | "fleet.ca_invalid" | "fleet.registration_code_invalid";

/** Throws `code` with what is wrong. */
export function readCertificate(pem: string, code: Code, { certificatePemBytesMax }: FleetLimits): ReadCertificate {
  const bytes = Buffer.byteLength(pem);
  if (bytes > certificatePemBytesMax) refuse(code, `${bytes} bytes`, `at most ${certificatePemBytesMax}`);
  const x509 = parse(pem, code);
  checkKey(keyOf(x509, code), code);
  checkSignatureAlgorithm(x509, code);
  const notBefore = x509.validFromDate.getTime();
  const notAfter = x509.validToDate.getTime();
  if (!Number.isFinite(notBefore) || !Number.isFinite(notAfter)) refuse(code, "a validity that is no time", "two times");
  return { id: idOf(x509), pem: x509.toString(), notBefore, notAfter, x509 };
}

function idOf(x509: X509Certificate): string {
  return x509.fingerprint256.replaceAll(":", "").toLowerCase();
}

/** Names match, the issuer may sign, and the signature verifies. */
export function isIssuedBy(x509: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return x509.checkIssued(issuer) && x509.verify(issuer.publicKey);
  } catch {
    // A key of a kind that cannot have made this signature.
    return false;
  }
}

/** One line for people, and for telling subjects apart. */
export function nameOf(name: string): string {
  return name.split("\n").join(", ");
}

export function commonNameOf(x509: X509Certificate): string | undefined {
  return x509.toLegacyObject().subject.CN as string | undefined;
}

function parse(pem: string, code: Code): X509Certificate {
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) refuse(code, shown(pem.trim()), "a certificate in PEM");
  try {
    return new X509Certificate(pem);
  } catch (error) {
    return refuse(code, error instanceof Error ? error.message : String(error), "a certificate in PEM");
  }
}

function keyOf(x509: X509Certificate, code: Code): KeyObject {
  try {
    return x509.publicKey;
  } catch {
    return refuse(code, "a key that cannot be read", acceptedKeys);
  }
}

const acceptedKeys = "an RSA key of at least 2048 bits, or an ECDSA key on P-256, P-384 or P-521";
const rsaBitsMin = 2_048;
const acceptedCurves = ["prime256v1", "secp384r1", "secp521r1"];

function checkKey(key: KeyObject, code: Code): void {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details = {} } = key;
  if (kind === "rsa" && (details.modulusLength ?? 0) >= rsaBitsMin) return;
  if (kind === "ec" && acceptedCurves.includes(details.namedCurve ?? "")) return;
  const measure = details.namedCurve ?? (details.modulusLength === undefined ? "" : `${details.modulusLength} bits`);
  refuse(code, `${kind ?? "an unknown key"} ${measure}`.trim(), acceptedKeys);
}

const acceptedSignatures: readonly string[] = [
  // SHA-256, SHA-384 and SHA-512 with RSA
  "1.2.840.113549.1.1.11",
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
  // DSA with SHA-256
  "2.16.840.1.101.3.4.3.2",
  // ECDSA with SHA-256, SHA-384 and SHA-512
  "1.2.840.10045.4.3.2",
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
];

function checkSignatureAlgorithm(x509: X509Certificate, code: Code): void {
  // Node tells it from 24.9 on; before, the TLS handshake alone decides.
  const { signatureAlgorithm, signatureAlgorithmOid } = x509;
  if (signatureAlgorithmOid === undefined || acceptedSignatures.includes(signatureAlgorithmOid)) return;
  const expected = "a signature by RSA, ECDSA or DSA with SHA-256 or better";
  refuse(code, `a signature by ${signatureAlgorithm ?? signatureAlgorithmOid}`, expected);
}

function refuse(code: Code, received: string, expected: string): never {
  throw new PlatformError(code, { received, expected });
}
