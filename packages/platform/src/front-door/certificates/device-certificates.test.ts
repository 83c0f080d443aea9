import { createPrivateKey, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import vectors from "../../../../../conformance/aws/certificate-requests.json" with { type: "json" };
import { systemRandom } from "../../clock.ts";
import { createAuthority } from "./authority.ts";
import type { KeyPairFiles } from "./certificate-files.ts";
import { issueDeviceKeysAndCertificate, signCertificateRequest } from "./device-certificates.ts";

const now = Date.UTC(2026, 0, 15, 12);
const ports = { now, random: systemRandom };
let authority: KeyPairFiles;
beforeAll(async () => {
  authority = await createAuthority(ports);
});

test("AW 3.1 keys and certificate: RSA-2048, the vendor's subject, until the end of 2049", async () => {
  const made = await issueDeviceKeysAndCertificate(authority, ports);
  const certificate = new X509Certificate(made.certificatePem);
  expect(certificate.subject).toBe("CN=AWS IoT Certificate");
  expect(certificate.validToDate.toISOString()).toBe("2049-12-31T23:59:59.000Z");
  expect(certificate.validFromDate.getTime()).toBeLessThan(now);
  expect(certificate.ca).toBe(false);
  expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2_048 });
  expect(certificate.checkIssued(authority.certificate)).toBe(true);
  expect(certificate.verify(authority.certificate.publicKey)).toBe(true);
  expect(made.privateKeyPem).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
  expect(certificate.checkPrivateKey(createPrivateKey(made.privateKeyPem))).toBe(true);
  expect(certificate.publicKey.export({ type: "spki", format: "pem" })).toBe(made.publicKeyPem);
});

test("no two certificates share a key or a serial number", async () => {
  const [one, other] = await Promise.all([
    issueDeviceKeysAndCertificate(authority, ports),
    issueDeviceKeysAndCertificate(authority, ports),
  ]);
  expect(one.publicKeyPem).not.toBe(other.publicKeyPem);
  expect(new X509Certificate(one.certificatePem).serialNumber).not.toBe(new X509Certificate(other.certificatePem).serialNumber);
});

test("a device's certificate is good for a client only: with a host's name as subject it is no server's", async () => {
  const [request] = vectors.requests.filter(({ refused }) => refused === undefined);
  const made = await issueDeviceKeysAndCertificate(authority, ports);
  for (const pem of [made.certificatePem, await signCertificateRequest(authority, request?.pem ?? "", ports)]) {
    // id-kp-clientAuth, RFC 5280 4.2.1.12
    expect(new X509Certificate(pem).keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  }
});

describe("AW 3.3 a certificate for a request", () => {
  for (const { name, pem, subject, refused } of vectors.requests) {
    test(`${refused === undefined ? "signs" : "refuses"} ${name}`, async () => {
      const answer = signCertificateRequest(authority, pem, ports);
      if (refused !== undefined) {
        const error = await answer.catch((cause: unknown) => cause);
        expect(error).toMatchObject({ code: "fleet.csr_invalid", details: { received: expect.stringContaining(refused) } });
        return;
      }
      const certificate = new X509Certificate(await answer);
      expect(certificate.subject).toBe(subject);
      expect(certificate.verify(authority.certificate.publicKey)).toBe(true);
      expect(certificate.validToDate.toISOString()).toBe("2049-12-31T23:59:59.000Z");
    });
  }
});
