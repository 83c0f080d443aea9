import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { domainToASCII } from "node:url";
import type { Clock, Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { checkAuthority, hasNames, type LeafKind } from "./certificate-check.ts";
import { type KeyPairFiles, loadKeyPair, writeFileSafely } from "./certificate-files.ts";
import type { DeviceKeysAndCertificate } from "./device-certificates.ts";
import { loadTicketKeys } from "./ticket-keys.ts";

/** A certificate is replaced when fewer days are left. */
const renewalDays = 30;
const dayMilliseconds = 86_400_000;
const checkIntervalMilliseconds = dayMilliseconds / 2;
const leafKinds: readonly LeafKind[] = ["rsa", "ecdsa"];
const localNames = ["localhost", "127.0.0.1", "::1"];

/** What a TLS server presents: PEM certificates and keys, RSA first. A new object after every renewal. */
export interface ServerIdentity {
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
}

/** The server's certificates, kept valid. */
export interface Certificates {
  /** The CA that clients have to trust, in PEM; also at `caFile`. */
  readonly caPem: string;
  readonly caFile: string;
  /** A client certificate of this CA and its key, in PEM. */
  issueClientCertificate(commonName: string): Promise<{ certificatePem: string; keyPem: string; caPem: string }>;
  /** Keys of a device and a certificate of this CA for them; the private key is kept nowhere. */
  issueDeviceKeysAndCertificate(): Promise<DeviceKeysAndCertificate>;
  /** A device's certificate of this CA, in PEM, for a request (PKCS #10, PEM). Throws `fleet.csr_invalid`. */
  signCertificateRequest(csrPem: string): Promise<string>;
  /** Chosen by SNI; without a name, or with one nobody knows, the identity that carries all names. */
  identityFor(serverName: string | undefined): ServerIdentity;
  /** 48 bytes for TLS session tickets; kept on disk so that a restart does not cost every device a full handshake. */
  ticketKeys(): Buffer;
  /** Calls `listener` after certificates or ticket keys changed. */
  onRenewed(listener: () => void): void;
  /** Ends the renewal timer. */
  close(): void;
}

export interface CertificatesOptions {
  dataDir: string;
  /** Names and addresses handed to devices; the first is the common name. */
  hosts: readonly string[];
  /** Names that firmware has built in, wildcards allowed: whoever redirects their DNS here is served. */
  vendorHosts: readonly string[];
  /** More such names, in a certificate that only who names one of them is shown: the one with all names stays small. */
  namedHosts?: readonly string[];
  clock: Clock;
  random: Random;
  /** A renewal that failed; the old certificate stays in use and the next check tries again. */
  onRenewalFailed?: (error: unknown) => void;
}

interface Leaf {
  matches(serverName: string): boolean;
  identity: ServerIdentity;
}

/**
 * Opens `<dataDir>/ca.crt`, `ca.key` and `tls/`, making what is missing. `tls/server.crt` with `tls/server.key` (the
 * operator's own) come before the issued ones.
 *
 * @throws PlatformError `front_door.certificate_*`
 */
export async function openCertificates(options: CertificatesOptions): Promise<Certificates> {
  const { dataDir, clock, namedHosts = [] } = options;
  const authority = await openAuthority(options);
  const hostNames = normalizeNames([...options.hosts, hostname(), ...localNames]);
  const issued = [
    // Small, for clients that name the host: the chain has to fit into 4 KiB buffers of old stacks.
    { file: "host", names: hostNames },
    ...(namedHosts.length === 0 ? [] : [{ file: "named", names: normalizeNames(namedHosts) }]),
    { file: "all", names: normalizeNames([...hostNames, ...options.vendorHosts]) },
  ];

  const state = { leaves: [] as Leaf[], hasOwn: false, ticketKeys: Buffer.alloc(0) as Buffer };
  const listeners: (() => void)[] = [];
  const refresh = async (): Promise<boolean> => {
    const now = clock.now();
    const own = await loadKeyPair(join(dataDir, "tls", "server.crt"), join(dataDir, "tls", "server.key"), now);
    const leaves = own === undefined ? [] : [toLeaf([own])];
    let hasChanged = false;
    for (const { file, names } of issued) {
      const pairs: KeyPairFiles[] = [];
      for (const kind of leafKinds) {
        const { pair, isNew } = await openLeaf(options, authority, { file: `${file}-${kind}`, names, kind });
        pairs.push(pair);
        hasChanged ||= isNew;
      }
      leaves.push(toLeaf(pairs));
    }
    const ticketKeys = await loadTicketKeys(join(dataDir, "tls", "ticket-key.json"), options);
    hasChanged ||= !ticketKeys.equals(state.ticketKeys);
    if (hasChanged || own !== undefined) state.leaves = leaves;
    state.hasOwn = own !== undefined;
    state.ticketKeys = ticketKeys;
    return hasChanged || own !== undefined;
  };

  await refresh();
  let cancel = (): void => {};
  let isClosed = false;
  const schedule = (): void => {
    if (!isClosed) cancel = clock.after(checkIntervalMilliseconds, () => void renew());
  };
  const renew = async (): Promise<void> => {
    try {
      if (await refresh()) for (const listener of listeners) listener();
    } catch (error) {
      options.onRenewalFailed?.(error);
    } finally {
      schedule();
    }
  };
  schedule();

  return {
    caPem: authority.certificatePem,
    caFile: join(dataDir, "ca.crt"),
    async issueClientCertificate(commonName) {
      const authorityModule = await import("./authority.ts");
      const request = { commonName, now: clock.now(), random: options.random };
      const { certificatePem, keyPem } = await authorityModule.issueClientCertificate(authority, request);
      return { certificatePem, keyPem, caPem: authority.certificatePem };
    },
    async issueDeviceKeysAndCertificate() {
      const issuing = await import("./device-certificates.ts");
      return issuing.issueDeviceKeysAndCertificate(authority, { now: clock.now(), random: options.random });
    },
    async signCertificateRequest(csrPem) {
      const issuing = await import("./device-certificates.ts");
      return issuing.signCertificateRequest(authority, csrPem, { now: clock.now(), random: options.random });
    },
    identityFor: (serverName) => chooseLeaf(state, serverName).identity,
    ticketKeys: () => state.ticketKeys,
    onRenewed: (listener) => void listeners.push(listener),
    close() {
      isClosed = true;
      cancel();
    },
  };
}

async function openAuthority({ dataDir, clock, random }: CertificatesOptions): Promise<KeyPairFiles> {
  const certificateFile = join(dataDir, "ca.crt");
  const keyFile = join(dataDir, "ca.key");
  const existing = await loadKeyPair(certificateFile, keyFile, clock.now());
  if (existing !== undefined) {
    try {
      checkAuthority(existing);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new PlatformError(
        "front_door.certificate_damaged",
        { file: certificateFile, reason, expected: "a CA certificate and its key" },
        { cause: error },
      );
    }
    return existing;
  }
  const { createAuthority } = await import("./authority.ts");
  const created = await createAuthority({ now: clock.now(), random });
  // The key first: a crash between the two leaves a lone key, and the message then says which file is missing.
  await writeFileSafely(keyFile, created.keyPem, 0o600);
  await writeFileSafely(certificateFile, created.certificatePem, 0o644);
  return created;
}

/** What was issued here can be issued again: damage costs nothing but the old file. */
const reissuedAfter = new Set([
  "front_door.certificate_damaged",
  "front_door.certificate_incomplete",
  "front_door.certificate_key_mismatch",
  "front_door.certificate_expired",
]);

async function openLeaf(
  { dataDir, clock, random }: CertificatesOptions,
  authority: KeyPairFiles,
  wanted: { file: string; names: readonly string[]; kind: LeafKind },
): Promise<{ pair: KeyPairFiles; isNew: boolean }> {
  const certificateFile = join(dataDir, "tls", `${wanted.file}.crt`);
  const keyFile = join(dataDir, "tls", `${wanted.file}.key`);
  const now = clock.now();
  try {
    const existing = await loadKeyPair(certificateFile, keyFile, now);
    if (existing !== undefined && isGood(existing.certificate, authority, wanted.names, now)) return { pair: existing, isNew: false };
  } catch (error) {
    if (!(error instanceof PlatformError) || !reissuedAfter.has(error.code)) throw error;
  }
  const { issueLeaf } = await import("./authority.ts");
  const pair = await issueLeaf(authority, { names: wanted.names, kind: wanted.kind, now, random });
  await writeFileSafely(keyFile, pair.keyPem, 0o600);
  await writeFileSafely(certificateFile, pair.certificatePem, 0o644);
  return { pair, isNew: true };
}

function isGood(certificate: X509Certificate, authority: KeyPairFiles, names: readonly string[], now: number): boolean {
  const isFresh = certificate.validToDate.getTime() - now >= renewalDays * dayMilliseconds;
  return isFresh && certificate.verify(authority.certificate.publicKey) && hasNames(certificate, names);
}

/** Lower case, ASCII (punycode), no repeats; what no certificate can carry is left out. */
export function normalizeNames(names: readonly string[]): string[] {
  const normal = names.map((name) => {
    const bare = name
      .trim()
      .replace(/^\[(.*)\]$/, "$1")
      .toLowerCase();
    if (isIP(bare) !== 0) return bare;
    return bare.startsWith("*.") ? `*.${domainToASCII(bare.slice(2))}` : domainToASCII(bare);
  });
  return [...new Set(normal)].filter((name) => name !== "" && name !== "*." && name.length <= 253);
}

function toLeaf(pairs: readonly KeyPairFiles[]): Leaf {
  const [first] = pairs;
  return {
    matches(serverName) {
      try {
        return first?.certificate.checkHost(serverName) !== undefined;
      } catch {
        // Node throws for a name that can be in no certificate; the peer chose it.
        return false;
      }
    },
    identity: { certificates: pairs.map((pair) => pair.certificatePem), keys: pairs.map((pair) => pair.keyPem) },
  };
}

/** Leaves are ordered: the operator's own, the host's, that of named hosts, the one with all other names. */
function chooseLeaf({ leaves, hasOwn }: { leaves: readonly Leaf[]; hasOwn: boolean }, serverName: string | undefined): Leaf {
  const named = serverName === undefined ? undefined : leaves.find((leaf) => leaf.matches(serverName));
  const chosen = named ?? (hasOwn ? leaves[0] : leaves.at(-1));
  if (chosen === undefined) throw new Error("certificates are used before they are open");
  return chosen;
}
