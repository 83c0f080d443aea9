import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { alibabaCertificateHosts, awsDeviceHosts } from "@thingstead/dialects";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Clock, systemRandom } from "../../clock.ts";
import { normalizeNames, openCertificates } from "./certificates.ts";
import type { Certificates, ServerIdentity } from "./index.ts";

const day = 86_400_000;
const startOfTest = Date.UTC(2026, 0, 15, 12);

/** Time that stands still until a test moves it; `tick` runs the timer that is due next. */
class StillClock implements Clock {
  time = startOfTest;
  #tasks = new Set<() => void>();
  now(): number {
    return this.time;
  }
  after(_milliseconds: number, task: () => void): () => void {
    this.#tasks.add(task);
    return () => this.#tasks.delete(task);
  }
  soon(task: () => void): void {
    task();
  }
  tick(): void {
    const due = [...this.#tasks];
    this.#tasks.clear();
    for (const task of due) task();
  }
  get taskCount(): number {
    return this.#tasks.size;
  }
}

let dataDir = "";
let clock: StillClock;
const open = (hosts = ["iot.example"], onRenewalFailed: (error: unknown) => void = () => {}): Promise<Certificates> =>
  openCertificates({ dataDir, hosts, vendorHosts: alibabaCertificateHosts, clock, random: systemRandom, onRenewalFailed });
const leafOf = (identity: ServerIdentity, at = 0): X509Certificate => new X509Certificate(identity.certificates[at] ?? "");
const serials = (certificates: Certificates): string[] =>
  [undefined, "iot.example"].flatMap((name) =>
    certificates.identityFor(name).certificates.map((pem) => new X509Certificate(pem).serialNumber),
  );

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "certificates-"));
});
beforeEach(async () => {
  clock = new StillClock();
  // Every test starts with a CA and leaves; making keys once keeps them fast.
  await rm(join(dataDir, "tls", "server.crt"), { force: true });
  await rm(join(dataDir, "tls", "server.key"), { force: true });
  (await open()).close();
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

test("[AWS 2.1] who names the data endpoint of any region is shown a certificate with that name; nobody else is", async () => {
  const ports = { dataDir, hosts: ["iot.example"], vendorHosts: ["*.iot.us-east-1.amazonaws.com"], clock, random: systemRandom };
  const certificates = await openCertificates({ ...ports, namedHosts: awsDeviceHosts });
  for (const name of ["xxx-ats.iot.us-east-2.amazonaws.com", "a1b2.iot.cn-north-1.amazonaws.com.cn"]) {
    expect(leafOf(certificates.identityFor(name)).checkHost(name)).toBe(name.replace(/^[^.]+/, "*"));
    // A stack with buffers of 4 KiB has to take the chain.
    expect(leafOf(certificates.identityFor(name)).raw.length).toBeLessThan(3_000);
  }
  expect(leafOf(certificates.identityFor(undefined)).checkHost("x.iot.us-east-2.amazonaws.com")).toBeUndefined();
  expect(leafOf(certificates.identityFor("iot.example")).checkHost("iot.example")).toBe("iot.example");
  certificates.close();
});

test("makes a CA for 20 years and RSA and ECDSA leaves that it signed", async () => {
  const certificates = await open();
  const ca = new X509Certificate(certificates.caPem);
  expect(ca.ca).toBe(true);
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect(ca.validToDate.getTime()).toBe(Date.UTC(2046, 0, 15, 12));
  for (const name of [undefined, "iot.example"]) {
    const identity = certificates.identityFor(name);
    expect(identity.certificates.map((pem) => new X509Certificate(pem).publicKey.asymmetricKeyType)).toEqual(["rsa", "ec"]);
    for (const at of [0, 1]) {
      const leaf = leafOf(identity, at);
      expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
      expect(leaf.ca).toBe(false);
      expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
      const lifeDays = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / day;
      expect(lifeDays).toBeLessThanOrEqual(825);
      // Positive: the first bit of the serial number is not set.
      expect(leaf.serialNumber).toMatch(/^[4-7]/);
      for (const host of ["iot.example", "localhost"]) expect(leaf.checkHost(host)).toBe(host);
      for (const address of ["127.0.0.1", "::1"]) expect(leaf.checkIP(address)).toBe(address);
    }
    expect(() => createSecureContext({ cert: [...identity.certificates], key: [...identity.keys] })).not.toThrow();
  }
  certificates.close();
});

test("[Alibaba 1.3] the leaf without SNI has every name and stays small; the host's leaf is smaller", async () => {
  const certificates = await open();
  const all = leafOf(certificates.identityFor(undefined));
  for (const region of ["cn-shanghai", "us-west-1", "ap-southeast-1", "ap-northeast-1", "eu-central-1"]) {
    for (const name of ["pk.iot-as-mqtt", "public.iot-as-mqtt", "iot-auth", "iot-as-http"]) {
      expect(all.checkHost(`${name}.${region}.aliyuncs.com`), name).toBeDefined();
      expect(leafOf(certificates.identityFor(`${name}.${region}.aliyuncs.com`)).serialNumber).toBe(all.serialNumber);
    }
  }
  expect(all.checkHost("iot-060a0001.mqtt.iothub.aliyuncs.com")).toBeDefined();
  expect(all.raw.length).toBeLessThan(2_500);
  expect(leafOf(certificates.identityFor("iot.example")).raw.length).toBeLessThan(1_100);
  expect(leafOf(certificates.identityFor("unknown.example")).serialNumber).toBe(all.serialNumber);
  expect(leafOf(certificates.identityFor("bad\0name")).serialNumber).toBe(all.serialNumber);
  certificates.close();
});

test("keeps everything over a restart; private keys are readable by their owner only", async () => {
  const first = await open();
  const second = await open();
  expect(second.caPem).toBe(first.caPem);
  expect(serials(second)).toEqual(serials(first));
  expect(second.ticketKeys()).toEqual(first.ticketKeys());
  for (const file of ["ca.key", "tls/host-rsa.key", "tls/all-ecdsa.key", "tls/ticket-key.json"]) {
    expect((await stat(join(dataDir, file))).mode & 0o077, file).toBe(0);
  }
  first.close();
  second.close();
});

test("another host gets new leaves under the same CA", async () => {
  const before = await open();
  const after = await open(["other.example", "192.0.2.5"]);
  expect(after.caPem).toBe(before.caPem);
  const leaf = leafOf(after.identityFor(undefined));
  expect(leaf.checkHost("other.example")).toBe("other.example");
  expect(leaf.checkIP("192.0.2.5")).toBe("192.0.2.5");
  expect(leaf.checkHost("iot.example")).toBeUndefined();
  before.close();
  after.close();
});

test("renews leaves with less than 30 days left while running, and ticket keys after a week", async () => {
  const certificates = await open();
  const before = serials(certificates);
  const ticketKeys = certificates.ticketKeys();
  let renewals = 0;
  certificates.onRenewed(() => renewals++);
  const runTimer = async (): Promise<void> => {
    clock.tick();
    await expect.poll(() => clock.taskCount).toBe(1);
  };
  await runTimer();
  expect(renewals).toBe(0);
  clock.time += 8 * day;
  await runTimer();
  expect(renewals).toBe(1);
  expect(certificates.ticketKeys()).not.toEqual(ticketKeys);
  expect(serials(certificates)).toEqual(before);
  clock.time = startOfTest + (824 - 29) * day;
  await runTimer();
  expect(renewals).toBe(2);
  expect(serials(certificates).some((serial) => before.includes(serial))).toBe(false);
  certificates.close();
  expect(clock.taskCount).toBe(0);
});

test("damaged leaves are issued again; a damaged or lonely CA file is an error that names it", async () => {
  await writeFile(join(dataDir, "tls", "host-rsa.crt"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  await rm(join(dataDir, "tls", "all-ecdsa.key"));
  await writeFile(join(dataDir, "tls", "ticket-key.json"), "{");
  const certificates = await open();
  expect(leafOf(certificates.identityFor("localhost")).checkHost("localhost")).toBe("localhost");
  certificates.close();

  const caFile = join(dataDir, "ca.crt");
  const caPem = await readFile(caFile, "utf8");
  await writeFile(caFile, "garbage");
  await expect(open()).rejects.toMatchObject({ code: "front_door.certificate_damaged", details: { file: caFile } });
  await rm(caFile);
  await expect(open()).rejects.toMatchObject({ code: "front_door.certificate_incomplete", details: { missing: caFile } });
  // Only an authority may stand here: a leaf with its key is refused before it signs anything.
  await writeFile(caFile, caPem);
  const keyFile = join(dataDir, "ca.key");
  await rename(keyFile, `${keyFile}.kept`);
  await writeFile(keyFile, await readFile(join(dataDir, "tls", "host-rsa.key")));
  await expect(open()).rejects.toMatchObject({ code: "front_door.certificate_key_mismatch" });
  await writeFile(caFile, await readFile(join(dataDir, "tls", "host-rsa.crt")));
  await expect(open()).rejects.toMatchObject({ code: "front_door.certificate_damaged", details: { file: caFile } });
  await writeFile(caFile, caPem);
  await rename(`${keyFile}.kept`, keyFile);
});

test("the operator's own certificate comes first, except for names that only ours has", async () => {
  const issued = await open();
  const [pem = ""] = issued.identityFor("localhost").certificates;
  const [key = ""] = issued.identityFor("localhost").keys;
  issued.close();
  await writeFile(join(dataDir, "tls", "server.crt"), pem);
  await expect(open()).rejects.toMatchObject({ code: "front_door.certificate_incomplete" });
  await writeFile(join(dataDir, "tls", "server.key"), key);
  const own = await open();
  expect(own.identityFor("iot.example").certificates).toEqual([pem]);
  expect(own.identityFor(undefined).certificates).toEqual([pem]);
  expect(own.identityFor("pk.iot-as-mqtt.cn-shanghai.aliyuncs.com").certificates).toHaveLength(2);
  own.close();
  clock.time += 900 * day;
  await expect(open()).rejects.toMatchObject({ code: "front_door.certificate_expired" });
});

test("a renewal that fails keeps the old certificates and is tried again", async () => {
  const failures: unknown[] = [];
  const certificates = await open(["iot.example"], (error) => failures.push(error));
  const before = serials(certificates);
  await writeFile(join(dataDir, "tls", "server.crt"), "garbage");
  await writeFile(join(dataDir, "tls", "server.key"), "garbage");
  clock.tick();
  await expect.poll(() => clock.taskCount).toBe(1);
  expect(failures).toEqual([expect.objectContaining({ code: "front_door.certificate_damaged" })]);
  expect(serials(certificates)).toEqual(before);
  certificates.close();
});

test("a data directory that cannot be used is an error that names the file", async () => {
  const file = join(dataDir, "a-file");
  await writeFile(file, "");
  await expect(openCertificates({ dataDir: file, hosts: [], vendorHosts: [], clock, random: systemRandom })).rejects.toMatchObject({
    code: "front_door.certificate_storage_failed",
  });
});

test("names are lower case, ASCII and unique", () => {
  expect(normalizeNames(["IoT.Example", "iot.example", "[::1]", "münchen.example", "*.A.example", "", "*."])).toEqual([
    "iot.example",
    "::1",
    "xn--mnchen-3ya.example",
    "*.a.example",
  ]);
});
