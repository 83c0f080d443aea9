// Loaded only to make certificates: the X.509 library costs every start 12 MB that a server with certificates does not
// need. The polyfill must be loaded before @peculiar/x509.
import "./reflect-metadata.ts";
import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import type { Random } from "../../clock.ts";
import { ecdsa, importAlgorithm, type LeafKind, rsa } from "./certificate-check.ts";
import type { KeyPairFiles } from "./certificate-files.ts";

type CryptoKey = webcrypto.CryptoKey;
type CryptoKeyPair = webcrypto.CryptoKeyPair;

const dayMilliseconds = 86_400_000;
/** Clocks of devices without a battery run late: a new certificate must be valid for them as well. */
export const backdateMilliseconds = dayMilliseconds;
const authorityYears = 20;
/** Beyond 825 days Apple's TLS stack refuses a server certificate. */
const leafDaysMax = 825;
const serialBytes = 16;

/** Positive and never zero, with 126 random bits (RFC 5280 4.1.2.2 wants positive, at most 20 octets). */
export function drawSerial(random: Random): string {
  const bytes = random.bytes(serialBytes);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

async function exportKeyPem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" }).toString();
}

/** X.509 times have whole seconds. */
export const wholeSeconds = (milliseconds: number): Date => new Date(Math.floor(milliseconds / 1000) * 1000);

async function packKeyPair(certificate: x509.X509Certificate, keys: CryptoKeyPair): Promise<KeyPairFiles> {
  const keyPem = await exportKeyPem(keys.privateKey);
  const certificatePem = `${certificate.toString("pem")}\n`;
  return { certificatePem, keyPem, certificate: new X509Certificate(certificatePem), key: createPrivateKey(keyPem) };
}

/** A new self-signed CA: RSA-2048, because the oldest TLS stacks in the field verify nothing else. */
export async function createAuthority(ports: { now: number; random: Random }): Promise<KeyPairFiles> {
  const keys = await webcrypto.subtle.generateKey(rsa, true, ["sign", "verify"]);
  const serial = drawSerial(ports.random);
  const notAfter = wholeSeconds(ports.now);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + authorityYears);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // The serial in the name keeps two installations' CAs apart in a client's trust store.
    name: `CN=Thingstead CA ${serial.slice(0, 8)}, O=Thingstead`,
    serialNumber: serial,
    notBefore: wholeSeconds(ports.now - backdateMilliseconds),
    notAfter,
    keys,
    signingAlgorithm: rsa,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return packKeyPair(certificate, keys);
}

function alternativeNames(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension(
    names.map((name) => ({ type: isIP(name) === 0 ? ("dns" as const) : ("ip" as const), value: name })),
  );
}

/** Issues a client certificate (ECDSA P-256, as long as the CA is valid): a device cannot renew it by itself. */
export async function issueClientCertificate(
  authority: KeyPairFiles,
  request: { commonName: string; now: number; random: Random },
): Promise<KeyPairFiles> {
  const algorithm = importAlgorithm(authority.key);
  const signingKey = await webcrypto.subtle.importKey("pkcs8", authority.key.export({ format: "der", type: "pkcs8" }), algorithm, false, [
    "sign",
  ]);
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
  const issuer = new x509.X509Certificate(authority.certificate.raw);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [request.commonName.slice(0, 64)] }],
    issuer: issuer.subjectName,
    serialNumber: drawSerial(request.random),
    notBefore: wholeSeconds(request.now - backdateMilliseconds),
    notAfter: wholeSeconds(authority.certificate.validToDate.getTime()),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return packKeyPair(certificate, keys);
}

/** Issues a server certificate for `names` (host names, wildcards, IP addresses), the first of them as common name. */
export async function issueLeaf(
  authority: KeyPairFiles,
  request: { names: readonly string[]; kind: LeafKind; now: number; random: Random },
): Promise<KeyPairFiles> {
  const algorithm = importAlgorithm(authority.key);
  const signingKey = await webcrypto.subtle.importKey("pkcs8", authority.key.export({ format: "der", type: "pkcs8" }), algorithm, false, [
    "sign",
  ]);
  const keys = await webcrypto.subtle.generateKey(request.kind === "rsa" ? rsa : ecdsa, true, ["sign", "verify"]);
  const issuer = new x509.X509Certificate(authority.certificate.raw);
  const notAfter = Math.min(request.now + (leafDaysMax - 1) * dayMilliseconds, authority.certificate.validToDate.getTime());
  // RSA key exchange of old suites encrypts to the certificate's key: keyEncipherment must be allowed.
  const usages = x509.KeyUsageFlags.digitalSignature | (request.kind === "rsa" ? x509.KeyUsageFlags.keyEncipherment : 0);
  const certificate = await x509.X509CertificateGenerator.create({
    // RFC 5280 bounds a common name to 64 characters; verifiers read the alternative names anyway.
    subject: [{ CN: [(request.names[0] ?? "localhost").slice(0, 64)] }],
    issuer: issuer.subjectName,
    serialNumber: drawSerial(request.random),
    notBefore: wholeSeconds(request.now - backdateMilliseconds),
    notAfter: wholeSeconds(notAfter),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(usages, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      alternativeNames(request.names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return packKeyPair(certificate, keys);
}
