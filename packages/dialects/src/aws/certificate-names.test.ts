import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import vector from "../../../../conformance/aws/certificate-names.json" with { type: "json" };
import { readCertificateNames } from "./certificate-names.ts";
import { readDer } from "./der.ts";

test("[AW 5.4] every name that a policy may use", () => {
  expect(readCertificateNames(vector.pem)).toEqual(vector.names);
  expect(readCertificateNames(new X509Certificate(vector.pem))).toEqual(vector.names);
});

test("what is no certificate has no names", () => {
  expect(readCertificateNames("")).toBeUndefined();
  expect(readCertificateNames("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")).toBeUndefined();
});

test("DER cut or spoilt anywhere is refused or read, never read beyond", () => {
  const der = new X509Certificate(vector.pem).raw;
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.nat(255), (at, byte) => {
      const spoilt = Uint8Array.from(der);
      spoilt[at] = byte;
      for (const bytes of [spoilt, der.subarray(0, at)]) {
        try {
          const covered = readDer(bytes).reduce((sum, { content }) => sum + content.length, 0);
          expect(covered).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }),
  );
});
