// Loaded only to make certificates, see authority.ts.
import "./reflect-metadata.ts";
import { createPublicKey, generateKeyPair, type KeyObject, type webcrypto as types, webcrypto } from "node:crypto";
import { promisify } from "node:util";
import * as x509 from "@peculiar/x509";
import type { Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { backdateMilliseconds, drawSerial, wholeSeconds } from "./authority.ts";
import { importAlgorithm } from "./certificate-check.ts";
import type { KeyPairFiles } from "./certificate-files.ts";

export interface DeviceKeysAndCertificate {
  certificatePem: string;
  publicKeyPem: string;
  /** PKCS #1: what the vendor hands out, and old TLS stacks read nothing else. */
  privateKeyPem: string;
}

interface IssuingPorts {
  now: number;
  random: Random;
}

/** What the vendor's own certificates say (AW 3.1). */
const commonSubject = "CN=AWS IoT Certificate";
const validUntil = Date.UTC(2049, 11, 31, 23, 59, 59);
const rsaBits = 2_048;

const generateKeys = promisify(generateKeyPair);

/** RSA-2048. The key is made by a thread of Node's pool: connections go on meanwhile. */
export async function issueDeviceKeysAndCertificate(authority: KeyPairFiles, ports: IssuingPorts): Promise<DeviceKeysAndCertificate> {
  const keys = await generateKeys("rsa", {
    modulusLength: rsaBits,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const publicKey = await webcrypto.subtle.importKey(
    "spki",
    createPublicKey(keys.publicKey).export({ type: "spki", format: "der" }),
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    true,
    ["verify"],
  );
  const certificatePem = await sign(authority, publicKey, commonSubject, ports);
  return { certificatePem, publicKeyPem: keys.publicKey, privateKeyPem: keys.privateKey };
}

/** The certificate that a PKCS #10 request asks for. Throws `fleet.csr_invalid`. */
export async function signCertificateRequest(authority: KeyPairFiles, csrPem: string, ports: IssuingPorts): Promise<string> {
  const request = parseRequest(csrPem);
  checkKey(keyOf(request));
  if (!(await isOwnSignature(request))) refuse("a signature that its own key did not make", "a request signed by its own key");
  const publicKey = await request.publicKey.export();
  return sign(authority, publicKey, request.subject === "" ? commonSubject : request.subjectName, ports);
}

async function sign(authority: KeyPairFiles, publicKey: types.CryptoKey, subject: string | x509.Name, { now, random }: IssuingPorts) {
  const algorithm = importAlgorithm(authority.key);
  const signingKey = await webcrypto.subtle.importKey("pkcs8", authority.key.export({ format: "der", type: "pkcs8" }), algorithm, false, [
    "sign",
  ]);
  const issuer = new x509.X509Certificate(authority.certificate.raw);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: typeof subject === "string" ? subject : subject.toJSON(),
    issuer: issuer.subjectName,
    serialNumber: drawSerial(random),
    notBefore: wholeSeconds(now - backdateMilliseconds),
    notAfter: new Date(validUntil),
    publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      // Devices choose their subject, and trust this CA for servers too: with a host's name for one nobody may be that host.
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

function parseRequest(csrPem: string): x509.Pkcs10CertificateRequest {
  const expected = "a PKCS #10 request in PEM (BEGIN CERTIFICATE REQUEST)";
  if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(csrPem)) return refuse("text that is none", expected);
  try {
    return new x509.Pkcs10CertificateRequest(csrPem.replaceAll("NEW CERTIFICATE REQUEST", "CERTIFICATE REQUEST"));
  } catch (error) {
    return refuse(textOf(error), expected);
  }
}

function keyOf(request: x509.Pkcs10CertificateRequest): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: "der", type: "spki" });
  } catch (error) {
    return refuse(textOf(error), expectedKeys);
  }
}

const expectedKeys = "an RSA key of at least 2048 bits, or an ECDSA key on P-256, P-384 or P-521";
const acceptedCurves: readonly string[] = ["prime256v1", "secp384r1", "secp521r1"];

function checkKey({ asymmetricKeyType: kind, asymmetricKeyDetails: details = {} }: KeyObject): void {
  if (kind === "rsa" && (details.modulusLength ?? 0) >= rsaBits) return;
  if (kind === "ec" && acceptedCurves.includes(details.namedCurve ?? "")) return;
  const measure = details.namedCurve ?? (details.modulusLength === undefined ? "" : `${details.modulusLength} bits`);
  refuse(`a key ${kind ?? "of unknown kind"} ${measure}`.trim(), expectedKeys);
}

async function isOwnSignature(request: x509.Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify();
  } catch {
    // An algorithm that cannot be verified proves nothing.
    return false;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refuse(received: string, expected: string): never {
  throw new PlatformError("fleet.csr_invalid", { received, expected });
}
