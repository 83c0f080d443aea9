/** Names in a certificate, as policy variables and provisioning templates want them (AWS reference, policies 5.4). */
import { X509Certificate } from "node:crypto";
import { type DerElement, derTags, readDer, readDerInteger, readDerText, readObjectIdentifier } from "./der.ts";

export type NameAttribute =
  | "CommonName"
  | "Country"
  | "State"
  | "Organization"
  | "OrganizationalUnit"
  | "SerialNumber"
  | "DistinguishedNameQualifier"
  | "Title"
  | "Surname"
  | "GivenName"
  | "Initials"
  | "Pseudonym"
  | "GenerationQualifier";

export type AlternativeNameKind = "RFC822Name" | "DNSName" | "DirectoryName" | "UniformResourceIdentifier" | "IPAddress";

/** In the order of the certificate, of each at most five. */
export interface CertificateNames {
  readonly subject: Readonly<Partial<Record<NameAttribute, readonly string[]>>>;
  readonly issuer: Readonly<Partial<Record<NameAttribute, readonly string[]>>>;
  readonly subjectAlternative: Readonly<Partial<Record<AlternativeNameKind, readonly string[]>>>;
  readonly issuerAlternative: Readonly<Partial<Record<AlternativeNameKind, readonly string[]>>>;
  /** Decimal. */
  readonly serialNumber: string;
}

const valuesPerNameMax = 5;

/** By object identifier: name of the variable, and the short name in a directory name. */
const attributes: Readonly<Record<string, { name?: NameAttribute; short: string }>> = {
  "2.5.4.3": { name: "CommonName", short: "CN" },
  "2.5.4.4": { name: "Surname", short: "SN" },
  "2.5.4.5": { name: "SerialNumber", short: "serialNumber" },
  "2.5.4.6": { name: "Country", short: "C" },
  "2.5.4.7": { short: "L" },
  "2.5.4.8": { name: "State", short: "ST" },
  "2.5.4.10": { name: "Organization", short: "O" },
  "2.5.4.11": { name: "OrganizationalUnit", short: "OU" },
  "2.5.4.12": { name: "Title", short: "title" },
  "2.5.4.42": { name: "GivenName", short: "GN" },
  "2.5.4.43": { name: "Initials", short: "initials" },
  "2.5.4.44": { name: "GenerationQualifier", short: "generationQualifier" },
  "2.5.4.46": { name: "DistinguishedNameQualifier", short: "dnQualifier" },
  "2.5.4.65": { name: "Pseudonym", short: "pseudonym" },
};

const subjectAlternativeId = "2.5.29.17";
const issuerAlternativeId = "2.5.29.18";

/** Undefined when it is no certificate. */
export function readCertificateNames(certificate: string | X509Certificate): CertificateNames | undefined {
  try {
    const { raw } = typeof certificate === "string" ? new X509Certificate(certificate) : certificate;
    return readNames(raw);
  } catch {
    return undefined;
  }
}

function readNames(der: Uint8Array): CertificateNames {
  const signed = readDer(elementAt(readDer(elementAt(readDer(der), 0).content), 0).content);
  // RFC 5280 4.1: version [0] is optional; then serial, algorithm, issuer, validity, subject, key; extensions are [3].
  const first = signed[0]?.tag === 0xa0 ? 1 : 0;
  const extensions = signed.find(({ tag }) => tag === 0xa3);
  return {
    serialNumber: String(readDerInteger(elementAt(signed, first).content)),
    issuer: collectAttributes(elementAt(signed, first + 2)),
    subject: collectAttributes(elementAt(signed, first + 4)),
    subjectAlternative: collectAlternatives(extensions, subjectAlternativeId),
    issuerAlternative: collectAlternatives(extensions, issuerAlternativeId),
  };
}

function elementAt(elements: readonly DerElement[], index: number): DerElement {
  const element = elements[index];
  if (element === undefined) throw new RangeError("certificate ends early");
  return element;
}

/** Attributes of a Name with their identifiers, in order. */
function readAttributes(name: DerElement): { id: string; value: string }[] {
  return readDer(name.content).flatMap((set) =>
    readDer(set.content).map((attribute) => {
      const [id, value] = readDer(attribute.content);
      if (id === undefined || value === undefined) throw new RangeError("attribute of a name");
      return { id: readObjectIdentifier(id.content), value: readDerText(value) };
    }),
  );
}

function collectAttributes(name: DerElement): CertificateNames["subject"] {
  const found: Partial<Record<NameAttribute, string[]>> = {};
  for (const { id, value } of readAttributes(name)) {
    const known = attributes[id]?.name;
    if (known !== undefined) keep(found, known, value);
  }
  return found;
}

function keep<Name extends string>(found: Partial<Record<Name, string[]>>, name: Name, value: string): void {
  const values = found[name] ?? [];
  if (values.length < valuesPerNameMax) values.push(value);
  found[name] = values;
}

function collectAlternatives(extensions: DerElement | undefined, wantedId: string): CertificateNames["subjectAlternative"] {
  const found: Partial<Record<AlternativeNameKind, string[]>> = {};
  if (extensions === undefined) return found;
  for (const extension of readDer(elementAt(readDer(extensions.content), 0).content)) {
    const parts = readDer(extension.content);
    const value = parts.at(-1);
    if (value?.tag !== derTags.octetString || readObjectIdentifier(elementAt(parts, 0).content) !== wantedId) continue;
    for (const general of readDer(elementAt(readDer(value.content), 0).content)) {
      const named = readGeneralName(general);
      if (named !== undefined) keep(found, named.kind, named.value);
    }
  }
  return found;
}

/** RFC 5280 4.2.1.6: the kind of a GeneralName is its tag. */
function readGeneralName({ tag, content }: DerElement): { kind: AlternativeNameKind; value: string } | undefined {
  switch (tag) {
    case 0x81:
      return { kind: "RFC822Name", value: new TextDecoder().decode(content) };
    case 0x82:
      return { kind: "DNSName", value: new TextDecoder().decode(content) };
    case 0x86:
      return { kind: "UniformResourceIdentifier", value: new TextDecoder().decode(content) };
    case 0x87:
      return { kind: "IPAddress", value: formatAddress(content) };
    case 0xa4:
      return { kind: "DirectoryName", value: formatDirectoryName(elementAt(readDer(content), 0)) };
    default:
      return undefined;
  }
}

function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let at = 0; at + 1 < bytes.length; at += 2) groups.push((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
  return groups.join(":");
}

/** `/C=US/O=Example/CN=lamp`. */
function formatDirectoryName(name: DerElement): string {
  return readAttributes(name)
    .map(({ id, value }) => `/${attributes[id]?.short ?? id}=${value}`)
    .join("");
}
