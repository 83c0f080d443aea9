import { createHash, X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { CertificateStatus } from "./index.ts";
import { pems, refusal, useBench } from "./testing/bench.ts";

const bench = useBench();
const codeBytes = 32;
/** What the verification certificates of the vectors were made for. */
const code = "07".repeat(codeBytes);

const idOf = (pem: string) => createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
const register = (pem: string, options: { isCaRequired?: boolean; status?: CertificateStatus; caPem?: string } = {}) =>
  bench.fleet.certificates.register(pem, { status: "ACTIVE", isCaRequired: false, ...options });

describe("AW 3 certificates", () => {
  test("the id is the SHA-256 of the DER; validity is read", async () => {
    const certificate = await register(pems.p256);
    expect(certificate).toMatchObject({ id: idOf(pems.p256), status: "ACTIVE", mode: "SNI_ONLY", createdAt: 1_000, modifiedAt: 1_000 });
    expect(certificate.notAfter).toBe(new X509Certificate(pems.p256).validToDate.getTime());
    expect(certificate).not.toHaveProperty("caId");
    expect(await bench.fleet.certificates.get(certificate.id)).toEqual(certificate);
    expect(bench.changes).toEqual([{ kind: "certificate.registered", certificate }]);
    expect(await refusal(register(`# a comment\n${pems.p256}`))).toBe("fleet.certificate_exists");
  });

  test.each(["p256", "p384", "p521", "rsa", "p384ByEc"] as const)("3.3 takes %s", async (name) => {
    expect(await register(pems[name])).toMatchObject({ id: idOf(pems[name]) });
  });

  test.each([
    ["k256", "ec secp256k1"],
    ["rsa1024", "rsa 1024 bits"],
    ["ed25519", "ed25519"],
    ["rsaSha1", "sha1"],
  ] as const)("3.3 refuses %s, saying why", async (name, received) => {
    const error = await register(pems[name]).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: "fleet.certificate_invalid",
      details: { received: expect.stringMatching(new RegExp(received, "i")) },
    });
  });

  test.each(["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x".repeat(70_000)])(
    "refuses what is no certificate (%#)",
    async (pem) => {
      expect(await refusal(register(pem))).toBe("fleet.certificate_invalid");
    },
  );

  test("a damaged one is refused or another, wherever the damage is", async () => {
    await bench.fleet.authorities.register(pems.ca, { mode: "SNI_ONLY", isActive: true, isAutoRegistering: true });
    const der = new X509Certificate(pems.p256).raw;
    expect(await bench.fleet.authorities.issuerOf(der)).toBeDefined();
    const codes = new Set<string>();
    for (let at = 0; at < der.length; at += 3) {
      const damaged = Buffer.from(der);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      const pem = `-----BEGIN CERTIFICATE-----\n${damaged.toString("base64")}\n-----END CERTIFICATE-----\n`;
      codes.add(await refusal(register(pem)));
      expect(await bench.fleet.authorities.issuerOf(damaged)).toBeUndefined();
    }
    expect([...codes].sort()).toEqual(["fleet.certificate_invalid", "nothing was refused"]);
  });

  test("with keys or by a request, in the status asked for", async () => {
    const { certificates } = bench.fleet;
    const made = await certificates.createWithKeys(true);
    expect(made).toMatchObject({ certificate: { status: "ACTIVE", mode: "DEFAULT" }, publicKeyPem: "public", privateKeyPem: "private" });
    expect(await certificates.createFromRequest("csr", "PENDING_ACTIVATION")).toMatchObject({ status: "PENDING_ACTIVATION" });
    expect(await refusal(certificates.createFromRequest("x".repeat(70_000), "ACTIVE"))).toBe("fleet.csr_invalid");
  });

  test("no private key is stored", async () => {
    const { certificate } = await bench.fleet.certificates.createWithKeys(true);
    expect(JSON.stringify(await bench.store.fleet.certificates.find(certificate.id))).not.toContain("private");
  });

  test("3.2 statuses change; PENDING_ACTIVATION cannot be set", async () => {
    const { certificates } = bench.fleet;
    const { id } = await register(pems.p256, { status: "PENDING_ACTIVATION" });
    bench.changes.length = 0;
    bench.clock.set(2_000);
    expect(await certificates.setStatus(id, "ACTIVE")).toMatchObject({ status: "ACTIVE", createdAt: 1_000, modifiedAt: 2_000 });
    await certificates.setStatus(id, "ACTIVE");
    expect(certificates.peek(id)).toMatchObject({ status: "ACTIVE" });
    expect(await certificates.setStatus(id, "REVOKED")).toMatchObject({ status: "REVOKED" });
    expect(await refusal(certificates.setStatus(id, "PENDING_ACTIVATION"))).toBe("fleet.certificate_status");
    expect(await refusal(certificates.setStatus("0", "ACTIVE"))).toBe("fleet.certificate_not_found");
    expect(bench.changes).toEqual([
      { kind: "certificate.status", certificateId: id, status: "ACTIVE" },
      { kind: "certificate.status", certificateId: id, status: "REVOKED" },
    ]);
  });

  test("3.2 is deleted when it is not active and not attached, or by force", async () => {
    const { certificates, policies } = bench.fleet;
    const { id } = await register(pems.p256);
    await policies.create("p", '{"Statement":[]}');
    await policies.attach("p", { kind: "certificate", id });
    expect(await refusal(certificates.delete(id, true))).toBe("fleet.certificate_active");
    await certificates.setStatus(id, "INACTIVE");
    expect(await refusal(certificates.delete(id, false))).toBe("fleet.certificate_attached");
    await certificates.delete(id, true);
    expect(certificates.peek(id)).toBeUndefined();
    expect(await certificates.find(id)).toBeUndefined();
    expect((await policies.targets("p", {})).items).toEqual([]);
    expect(bench.changes.at(-1)).toEqual({ kind: "certificate.status", certificateId: id, status: "DELETED" });
    await bench.fleet.things.create({ name: "a" });
    await register(pems.p256, { status: "INACTIVE" });
    await bench.fleet.things.attachPrincipal("a", { kind: "certificate", id });
    expect(await refusal(certificates.delete(id, false))).toBe("fleet.certificate_attached");
    await bench.fleet.things.detachPrincipal("a", { kind: "certificate", id });
    await certificates.delete(id, false);
  });

  test("are listed by time, both ways", async () => {
    for (const [index, pem] of [pems.p256, pems.p384, pems.p521].entries()) {
      bench.clock.set(2_000 + index);
      await register(pem);
    }
    const { certificates } = bench.fleet;
    const ids = [pems.p256, pems.p384, pems.p521].map(idOf);
    expect((await certificates.list({ isAscending: true })).items.map(({ id }) => id)).toEqual(ids);
    const first = await certificates.list({ maxResults: 2 });
    expect(first.items.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    expect((await certificates.list({ nextToken: first.nextToken ?? "" })).items.map(({ id }) => id)).toEqual([ids[0]]);
    expect(await refusal(certificates.list({ nextToken: first.nextToken ?? "", isAscending: true }))).toBe("fleet.invalid_token");
  });
});

describe("AW 3.4 CAs", () => {
  const registerCa = (pem: string, verificationPem?: string, registration?: { templateBody?: string; templateName?: string }) =>
    bench.fleet.authorities.register(pem, {
      ...(verificationPem !== undefined && { verificationPem }),
      mode: "DEFAULT",
      isActive: true,
      isAutoRegistering: true,
      ...(registration !== undefined && { registration }),
    });
  const registerWithoutProof = (pem: string) =>
    bench.fleet.authorities.register(pem, { mode: "SNI_ONLY", isActive: true, isAutoRegistering: false });
  const storeCode = () => bench.store.fleet.records.put("fleet-account", "registration-code", JSON.stringify({ code }));

  test("the registration code stays until it is deleted", async () => {
    const { authorities } = bench.fleet;
    const first = await authorities.registrationCode();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await authorities.registrationCode()).toBe(first);
    await authorities.deleteRegistrationCode();
    expect(await authorities.registrationCode()).not.toBe(first);
  });

  test("a CA proves possession of its key with a certificate for the code", async () => {
    expect(await refusal(registerCa(pems.ca, pems.verification))).toBe("fleet.registration_code_invalid");
    await storeCode();
    const authority = await registerCa(pems.ca, pems.verification);
    expect(authority).toMatchObject({ id: idOf(pems.ca), status: "ACTIVE", isAutoRegistering: true, mode: "DEFAULT" });
    expect(await bench.fleet.authorities.get(authority.id)).toEqual(authority);
    expect(await refusal(registerCa(pems.ca, pems.verification))).toBe("fleet.ca_exists");
  });

  test.each([
    ["none", undefined],
    ["one of another CA of the same name", pems.verificationByTwin],
    ["one for another name", pems.verificationOfNobody],
    ["no certificate", "text"],
  ])("refuses %s as verification", async (_, verification) => {
    await storeCode();
    expect(await refusal(registerCa(pems.ca, verification))).toBe("fleet.registration_code_invalid");
  });

  test("what is no CA is refused; without the code only SNI_ONLY", async () => {
    expect(await refusal(registerWithoutProof(pems.noca))).toBe("fleet.ca_invalid");
    expect(await registerWithoutProof(pems.ecca)).toMatchObject({ mode: "SNI_ONLY", isAutoRegistering: false });
  });

  test("so many CAs share a subject", async () => {
    const { authorities } = bench.make({ authoritiesPerSubjectMax: 1 });
    const options = { mode: "SNI_ONLY", isActive: true, isAutoRegistering: false } as const;
    await authorities.register(pems.ca, options);
    await authorities.register(pems.ecca, options);
    expect(await refusal(authorities.register(pems.twin, options))).toBe("fleet.cas_exceeded");
  });

  test("the issuer is found by name and signature", async () => {
    const der = (pem: string) => new X509Certificate(pem).raw;
    const { authorities } = bench.fleet;
    await registerWithoutProof(pems.twin);
    expect(await authorities.issuerOf(der(pems.p256))).toBeUndefined();
    expect(await authorities.issuerOf(der(pems.p256ByTwin))).toMatchObject({ id: idOf(pems.twin) });
    const { id } = await registerWithoutProof(pems.ca);
    expect(await authorities.issuerOf(der(pems.p256))).toMatchObject({ id, status: "ACTIVE" });
    await authorities.update(id, { status: "INACTIVE" });
    expect(await authorities.issuerOf(der(pems.p256))).toMatchObject({ id, status: "INACTIVE" });
    await authorities.delete(id);
    expect(await authorities.issuerOf(der(pems.p256))).toBeUndefined();
  });

  test("certificates of a registered, active CA are registered as its own", async () => {
    expect(await refusal(register(pems.p256, { isCaRequired: true }))).toBe("fleet.certificate_untrusted");
    const { id } = await registerWithoutProof(pems.ca);
    const { id: ecId } = await registerWithoutProof(pems.ecca);
    expect(await register(pems.p256, { isCaRequired: true, caPem: pems.ca })).toMatchObject({ caId: id, mode: "SNI_ONLY" });
    expect(await register(pems.p384ByEc, { isCaRequired: true })).toMatchObject({ caId: ecId });
    expect(await refusal(register(pems.p256ByTwin, { isCaRequired: true, caPem: pems.twin }))).toBe("fleet.ca_not_found");
    expect(await refusal(register(pems.p256ByTwin, { isCaRequired: true }))).toBe("fleet.certificate_untrusted");
    expect(await refusal(register(pems.rsa, { isCaRequired: true, caPem: pems.ecca }))).toBe("fleet.certificate_untrusted");
    const { certificates, authorities } = bench.fleet;
    expect((await certificates.list({}, { caId: id })).items).toHaveLength(1);
    await authorities.update(id, { status: "INACTIVE" });
    expect(await refusal(register(pems.rsa, { isCaRequired: true }))).toBe("fleet.ca_inactive");
  });

  test("registration configuration, changes and deletion", async () => {
    await storeCode();
    const both = { templateBody: "{}", templateName: "t" };
    expect(await refusal(registerCa(pems.ca, pems.verification, both))).toBe("fleet.invalid_registration");
    expect(await refusal(registerCa(pems.ca, pems.verification, { templateBody: "x".repeat(10_241) }))).toBe("fleet.invalid_registration");
    const { id } = await registerCa(pems.ca, pems.verification, { templateName: "t" });
    await registerWithoutProof(pems.ecca);
    const { authorities } = bench.fleet;
    expect((await authorities.list({}, { templateName: "t" })).items.map((one) => one.id)).toEqual([id]);
    expect((await authorities.list({ maxResults: 1 })).nextToken).toBeDefined();
    expect(await authorities.update(id, { registration: { templateBody: "{}" } })).toMatchObject({ registration: { templateBody: "{}" } });
    expect(await authorities.update(id, { registration: null, isAutoRegistering: false })).not.toHaveProperty("registration");
    expect(await refusal(authorities.delete(id))).toBe("fleet.ca_active");
    await authorities.update(id, { status: "INACTIVE" });
    await authorities.delete(id);
    expect(await refusal(authorities.get(id))).toBe("fleet.ca_not_found");
  });
});
