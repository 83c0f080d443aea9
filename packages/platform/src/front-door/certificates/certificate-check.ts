/** Judging certificates that are there already, with what Node has: making new ones is `authority.ts`, loaded when needed. */
import type { KeyObject, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { KeyPairFiles } from "./certificate-files.ts";

export type LeafKind = "rsa" | "ecdsa";

export const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
export const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export function importAlgorithm(key: KeyObject): typeof rsa | typeof ecdsa {
  if (key.asymmetricKeyType === "rsa") return rsa;
  const namedCurve = { prime256v1: "P-256", secp384r1: "P-384" }[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (key.asymmetricKeyType === "ec" && namedCurve !== undefined) return { ...ecdsa, namedCurve };
  throw new TypeError(`a CA key must be RSA, ECDSA P-256 or ECDSA P-384, not ${key.asymmetricKeyType ?? "unknown"}`);
}

/** Refuses what could never sign a server certificate; checked at start so that it is not found out at renewal. */
export function checkAuthority(authority: KeyPairFiles): void {
  if (!authority.certificate.ca) throw new TypeError("it is no CA certificate (basicConstraints CA is not set)");
  importAlgorithm(authority.key);
}

/** Whether the certificate was issued for exactly these names in this order. */
export function hasNames(certificate: X509Certificate, names: readonly string[]): boolean {
  const present = (certificate.subjectAltName ?? "").split(", ");
  return present.length === names.length && names.every((name, index) => isNamed(present[index] ?? "", name));
}

/** `DNS:name` or `IP Address:…`; Node writes IPv6 addresses in full and in capitals. */
function isNamed(entry: string, name: string): boolean {
  const version = isIP(name);
  if (version === 0) return entry === `DNS:${name}`;
  const address = /^IP Address:(.+)$/.exec(entry)?.[1];
  if (address === undefined || isIP(address) !== version) return false;
  return version === 4 ? address === name : canonicalIpv6(address) === canonicalIpv6(name);
}

const canonicalIpv6 = (address: string): string => new URL(`http://[${address}]/`).hostname;
