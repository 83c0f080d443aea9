/** A certificate authority for one test, by openssl: a server's certificate for some names, and a device's. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestPki {
  folder: string;
  caFile: string;
  serverCertFile: string;
  serverKeyFile: string;
  ca: Buffer;
  deviceCert: Buffer;
  deviceKey: Buffer;
  /** Of another authority. */
  strangerCert: Buffer;
  strangerKey: Buffer;
  remove(): void;
}

export function createTestPki(serverNames: readonly string[]): TestPki {
  const folder = mkdtempSync(join(tmpdir(), "thingstead-pki-"));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = (name: string) => openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`);
  const authority = (name: string) => {
    key(name);
    openssl("req", "-x509", "-new", "-key", `${name}.key`, "-subj", `/CN=${name}`, "-days", "2", "-out", `${name}.crt`);
  };
  const issue = (name: string, issuer: string, extensions: string) => {
    key(name);
    openssl("req", "-new", "-key", `${name}.key`, "-subj", `/CN=${name}`, "-out", `${name}.csr`);
    writeFileSync(file(`${name}.ext`), extensions);
    const ca = ["-CA", `${issuer}.crt`, "-CAkey", `${issuer}.key`, "-CAcreateserial"];
    openssl("x509", "-req", "-in", `${name}.csr`, ...ca, "-days", "2", "-extfile", `${name}.ext`, "-out", `${name}.crt`);
  };
  authority("ca");
  authority("stranger-ca");
  const names = serverNames.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`));
  issue("server", "ca", `subjectAltName=${names.join(",")}\n`);
  issue("device", "ca", "extendedKeyUsage=clientAuth\n");
  issue("stranger", "stranger-ca", "extendedKeyUsage=clientAuth\n");
  return {
    folder,
    caFile: file("ca.crt"),
    serverCertFile: file("server.crt"),
    serverKeyFile: file("server.key"),
    ca: readFileSync(file("ca.crt")),
    deviceCert: readFileSync(file("device.crt")),
    deviceKey: readFileSync(file("device.key")),
    strangerCert: readFileSync(file("stranger.crt")),
    strangerKey: readFileSync(file("stranger.key")),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
