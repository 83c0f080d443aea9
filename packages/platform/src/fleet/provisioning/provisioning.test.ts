import { beforeEach, describe, expect, test } from "vitest";
import type { PlatformError } from "../../errors/index.ts";
import type { FleetCertificate } from "../index.ts";
import { pems, refusal, useBench } from "../testing/bench.ts";
import { createProvisioning, type Provisioning, type ProvisioningLimits } from "./index.ts";

const bench = useBench();
const account = { region: "us-east-2", accountId: "123456789012" };
const document = '{"Version":"2012-10-17","Statement":[]}';

let provisioning: Provisioning;
let failures: unknown[];
let hookCalls: { url: string; body: object }[];
let hookAnswer: unknown;

function make(limits: Partial<ProvisioningLimits> = {}): Provisioning {
  return createProvisioning({
    fleet: bench.fleet,
    account,
    hook: async (url, body) => {
      hookCalls.push({ url, body });
      return hookAnswer;
    },
    clock: bench.clock,
    random: { bytes: (count) => Buffer.alloc(count, 7) },
    limits,
    onFailure: (error) => failures.push(error),
  });
}

beforeEach(async () => {
  [failures, hookCalls, hookAnswer] = [[], [], undefined];
  provisioning = make();
  await provisioning.start();
});

function templateOf(change: { thing?: object; overrides?: object; certificate?: object; policy?: object } = {}): string {
  const {
    thing = {},
    overrides,
    certificate = { CertificateId: { Ref: "AWS::IoT::Certificate::Id" } },
    policy = { PolicyDocument: document },
  } = change;
  return JSON.stringify({
    Parameters: { Serial: { Type: "String" } },
    Resources: {
      thing: {
        Type: "AWS::IoT::Thing",
        Properties: { ThingName: { "Fn::Join": ["", ["lamp_", { Ref: "Serial" }]] }, ...thing },
        ...(overrides !== undefined && { OverrideSettings: overrides }),
      },
      certificate: { Type: "AWS::IoT::Certificate", Properties: certificate },
      policy: { Type: "AWS::IoT::Policy", Properties: policy },
    },
    DeviceConfiguration: { url: { "Fn::Sub": "https://${Serial}.example" } },
  });
}

async function createTemplate(body = templateOf(), more: object = {}) {
  return provisioning.templates.create({ name: "lamps", body, roleArn: "arn:aws:iam::1:role/r", isEnabled: true, ...more });
}

/** Asks twice: the bench makes one pair of keys only. */
async function claim(serial = "1", more: object = {}) {
  const { certificate, ownershipToken } = await provisioning.createCertificate();
  const provisioned = await provisioning.provision("lamps", { ownershipToken, parameters: { Serial: serial }, ...more });
  return { certificate, ownershipToken, provisioned };
}

const detailsOf = (answer: Promise<unknown>) =>
  answer.then(
    () => undefined,
    (error: PlatformError) => error.details,
  );

describe("AW 13 by claim", () => {
  test("a device gets certificate, thing and policy, and may connect", async () => {
    await createTemplate();
    const { certificate, provisioned } = await claim("7");
    expect(certificate.status).toBe("PENDING_ACTIVATION");
    expect(provisioned).toMatchObject({
      thingName: "lamp_7",
      deviceConfiguration: { url: "https://7.example" },
      certificate: { status: "ACTIVE" },
    });
    expect(Object.keys(provisioned.resourceArns)).toEqual(["certificate", "thing", "policy"]);
    expect(provisioned.resourceArns.thing).toBe("arn:aws:iot:us-east-2:123456789012:thing/lamp_7");
    const facts = await bench.fleet.factsOf(certificate.id, "lamp_7");
    expect(facts).toMatchObject({ policies: [{ document }], thing: { name: "lamp_7", isAttached: true } });
  });

  test("by a request for a certificate", async () => {
    await createTemplate();
    const { certificate, ownershipToken } = await provisioning.createCertificateFromRequest("request");
    expect(certificate.pem).toBe(pems.p256);
    const provisioned = await provisioning.provision("lamps", { ownershipToken, parameters: { Serial: "1" } });
    expect(provisioned).toMatchObject({ thingName: "lamp_1", certificate: { id: certificate.id, status: "ACTIVE" } });
  });

  test("a token is good for one success; one that failed can be used again", async () => {
    await createTemplate();
    const { ownershipToken } = await provisioning.createCertificate();
    const ask = (parameters: Record<string, string>, token = ownershipToken) =>
      provisioning.provision("lamps", { ownershipToken: token, parameters });
    expect(await refusal(ask({}))).toBe("provisioning.parameters_invalid");
    expect(await refusal(ask({ Serial: "a b" }))).toBe("fleet.invalid_name");
    await ask({ Serial: "1" });
    expect(await refusal(ask({ Serial: "1" }))).toBe("provisioning.token_invalid");
    expect(await refusal(ask({ Serial: "1" }, ""))).toBe("provisioning.token_missing");
    expect(await refusal(ask({ Serial: "1" }, "AAAA"))).toBe("provisioning.token_invalid");
    expect(await refusal(ask({ Serial: "1" }, `${ownershipToken.slice(0, -2)}AA`))).toBe("provisioning.token_invalid");
  });

  test("who speaks for one certificate cannot provision another, nor say what stands in it", async () => {
    const victim = await bench.fleet.certificates.register(pems.p256, { status: "INACTIVE", isCaRequired: false });
    await createTemplate(
      templateOf({
        certificate: { CertificateId: { Ref: "Victim" } },
        thing: { AttributePayload: { cn: { Ref: "AWS::IoT::Certificate::CommonName" } } },
      }),
    );
    const { provisioned, certificate } = await claim("1", {
      parameters: { Serial: "1", Victim: victim.id, "AWS::IoT::Certificate::CommonName": "forged" },
    });
    expect(provisioned.certificate.id).toBe(certificate.id);
    expect(await bench.fleet.certificates.get(victim.id)).toMatchObject({ status: "INACTIVE" });
    expect((await bench.fleet.things.get("lamp_1")).attributes.cn).not.toBe("forged");
  });

  test("a certificate that no device uses is gone after an hour; one that somebody took stays", async () => {
    await createTemplate();
    const unused = await provisioning.createCertificate();
    const taken = await provisioning.createCertificateFromRequest("request");
    await bench.fleet.things.create({ name: "t" });
    await bench.fleet.things.attachPrincipal("t", { kind: "certificate", id: taken.certificate.id });
    for (let minute = 0; minute < 60; minute++) await bench.clock.pass(60_000);
    await expect.poll(() => bench.fleet.certificates.find(unused.certificate.id)).toBeUndefined();
    expect(await bench.fleet.certificates.find(taken.certificate.id)).toBeDefined();
    expect(await refusal(provisioning.provision("lamps", { ownershipToken: taken.ownershipToken, parameters: { Serial: "1" } }))).toBe(
      "provisioning.token_invalid",
    );
    expect((await bench.fleet.records.list("certificate-ownership", {})).items).toEqual([]);
    expect(failures).toEqual([]);
  });

  test("tokens and the end of certificates outlast a restart", async () => {
    await createTemplate();
    const { certificate, ownershipToken } = await provisioning.createCertificate();
    const unused = await provisioning.createCertificateFromRequest("request");
    await provisioning.close();
    expect(bench.clock.pendingTimers).toBe(0);
    provisioning = make();
    await provisioning.start();
    expect(await provisioning.provision("lamps", { ownershipToken, parameters: { Serial: "1" } })).toMatchObject({
      certificate: { id: certificate.id },
    });
    await provisioning.close();
    await bench.clock.pass(3_600_000);
    provisioning = make();
    await provisioning.start();
    await bench.clock.pass(1);
    await expect.poll(() => bench.fleet.certificates.find(unused.certificate.id)).toBeUndefined();
    expect(await bench.fleet.certificates.get(certificate.id)).toMatchObject({ status: "ACTIVE" });
  });

  test("what cannot be finished is taken back", async () => {
    await createTemplate(templateOf({ thing: { ThingGroups: ["lamps"] }, policy: { PolicyName: "absent" } }));
    await bench.fleet.groups.create({ name: "lamps" });
    const { certificate, ownershipToken } = await provisioning.createCertificate();
    expect(await refusal(provisioning.provision("lamps", { ownershipToken, parameters: { Serial: "1" } }))).toBe("fleet.policy_not_found");
    expect(await bench.fleet.things.find("lamp_1")).toBeUndefined();
    expect(await bench.fleet.certificates.get(certificate.id)).toMatchObject({ status: "PENDING_ACTIVATION" });
    expect((await bench.fleet.things.ofPrincipal({ kind: "certificate", id: certificate.id }, {})).items).toEqual([]);
    await bench.fleet.policies.create("absent", document);
    expect(await provisioning.provision("lamps", { ownershipToken, parameters: { Serial: "1" } })).toMatchObject({ thingName: "lamp_1" });
    expect(failures).toEqual([]);
  });

  test("limits: certificates that wait, parameters, disabled templates and those of another type", async () => {
    await createTemplate();
    const narrow = make({ pendingCertificatesMax: 1, parametersMax: 1, parameterCharactersMax: 3 });
    const { ownershipToken } = await narrow.createCertificate();
    expect(await refusal(narrow.createCertificateFromRequest("request"))).toBe("provisioning.certificates_exceeded");
    expect(await refusal(narrow.provision("lamps", { ownershipToken, parameters: { a: "1", b: "2" } }))).toBe(
      "provisioning.parameters_invalid",
    );
    expect(await refusal(narrow.provision("lamps", { ownershipToken, parameters: { Serial: "1234" } }))).toBe(
      "provisioning.parameters_invalid",
    );
    await narrow.templates.update("lamps", { isEnabled: false });
    expect(await refusal(narrow.provision("lamps", { ownershipToken, parameters: { Serial: "1" } }))).toBe(
      "provisioning.template_disabled",
    );
    await narrow.templates.create({ name: "jitp", body: templateOf(), roleArn: "r", isEnabled: true, type: "JITP" });
    expect(await refusal(narrow.provision("jitp", { ownershipToken, parameters: { Serial: "1" } }))).toBe("provisioning.template_type");
    expect(await refusal(narrow.provision("absent", { ownershipToken, parameters: { Serial: "1" } }))).toBe(
      "provisioning.template_not_found",
    );
  });
});

describe("AW 13 pre-provisioning hook", () => {
  const hook = { targetArn: "https://hook.example/allow" };

  test("is told who asks and may change parameters", async () => {
    await createTemplate(templateOf(), { hook });
    hookAnswer = { allowProvisioning: true, parameterOverrides: { Serial: "9" } };
    const { certificate, provisioned } = await claim("1", { clientId: "c1", claimCertificateId: "cc" });
    expect(provisioned.thingName).toBe("lamp_9");
    expect(hookCalls).toEqual([
      {
        url: hook.targetArn,
        body: {
          claimCertificateId: "cc",
          certificateId: certificate.id,
          certificatePem: certificate.pem,
          templateArn: "arn:aws:iot:us-east-2:123456789012:provisioningtemplate/lamps",
          clientId: "c1",
          parameters: { Serial: "1" },
        },
      },
    ]);
  });

  test.each<[unknown, string]>([
    [{ allowProvisioning: false }, "provisioning.hook_refused"],
    [{}, "provisioning.hook_failed"],
    ["yes", "provisioning.hook_failed"],
    [{ allowProvisioning: true, parameterOverrides: { a: 1 } }, "provisioning.hook_failed"],
  ])("answers %j: nothing is provisioned", async (answer, code) => {
    await createTemplate(templateOf(), { hook });
    hookAnswer = answer;
    expect(await refusal(claim())).toBe(code);
    expect(await bench.fleet.things.find("lamp_1")).toBeUndefined();
  });

  test.each(["arn:aws:lambda:us-east-2:1:function:f", "ftp://a", "https://"])("%s is none", async (targetArn) => {
    expect(await refusal(createTemplate(templateOf(), { hook: { targetArn } }))).toBe("provisioning.hook_unsupported");
  });
});

describe("AW 13 a thing that is there already", () => {
  const group = (name: string) => bench.fleet.groups.create({ name });
  const groupsOf = async () => (await bench.fleet.groups.ofThing("lamp_1", {})).items.map(({ name }) => name);
  const wish = { AttributePayload: { b: "2" }, ThingGroups: ["new"] };

  beforeEach(async () => {
    await group("old");
    await group("new");
    await bench.fleet.things.create({ name: "lamp_1", attributes: { a: "1" } });
    await bench.fleet.groups.addThing("old", "lamp_1");
  });

  test.each<[string, object | undefined, object, string[]]>([
    ["DO_NOTHING by default", undefined, { a: "1" }, ["old"]],
    ["REPLACE", { AttributePayload: "REPLACE", ThingGroups: "REPLACE" }, { b: "2" }, ["new"]],
    ["MERGE", { AttributePayload: "MERGE", ThingGroups: "MERGE" }, { a: "1", b: "2" }, ["new", "old"]],
  ])("%s", async (_title, overrides, attributes, groups) => {
    await createTemplate(templateOf({ thing: wish, ...(overrides !== undefined && { overrides }) }));
    await claim();
    expect((await bench.fleet.things.get("lamp_1")).attributes).toEqual(attributes);
    expect((await groupsOf()).sort()).toEqual(groups);
  });

  test.each([[{ AttributePayload: "FAIL" }], [{ ThingGroups: "FAIL" }], [{ AttributePayload: "REPLACE", ThingGroups: "FAIL" }]])(
    "%j changes nothing and fails",
    async (overrides) => {
      await createTemplate(templateOf({ thing: wish, overrides }));
      expect(await refusal(claim())).toBe("provisioning.resource_conflict");
      expect(await bench.fleet.things.get("lamp_1")).toMatchObject({ attributes: { a: "1" }, version: 1 });
      expect(await groupsOf()).toEqual(["old"]);
    },
  );

  test("what was changed is changed back when a later step fails", async () => {
    const overrides = { AttributePayload: "REPLACE", ThingGroups: "REPLACE" };
    await createTemplate(templateOf({ thing: wish, overrides, policy: { PolicyName: "absent" } }));
    expect(await refusal(claim())).toBe("fleet.policy_not_found");
    expect((await bench.fleet.things.get("lamp_1")).attributes).toEqual({ a: "1" });
    expect(await groupsOf()).toEqual(["old"]);
  });
});

describe("AW 16 RegisterThing", () => {
  test("by a request, by a certificate of a registered CA, and by an id", async () => {
    const byRequest = templateOf({ certificate: { CertificateSigningRequest: { Ref: "Csr" } } });
    expect(await provisioning.registerThing(byRequest, { Serial: "1", Csr: "request" })).toMatchObject({
      certificate: { pem: pems.p256, status: "ACTIVE" },
      thingName: "lamp_1",
    });
    await bench.fleet.authorities.register(pems.ca, { mode: "SNI_ONLY", isActive: true, isAutoRegistering: false });
    const byPem = templateOf({ certificate: { CertificatePem: { Ref: "Pem" }, Status: "INACTIVE" } });
    const registered = await provisioning.registerThing(byPem, { Serial: "2", Pem: pems.p384 });
    expect(registered).toMatchObject({ certificate: { status: "INACTIVE" }, thingName: "lamp_2" });
    const again = await provisioning.registerThing(byPem, { Serial: "2", Pem: pems.p384 });
    expect(again.certificate.id).toBe(registered.certificate.id);
    const byId = templateOf({ certificate: { CertificateId: registered.certificate.id } });
    expect(await provisioning.registerThing(byId, { Serial: "3" })).toMatchObject({ certificate: { status: "ACTIVE" } });
  });

  test("a new certificate is gone when the rest fails", async () => {
    const body = templateOf({ certificate: { CertificateSigningRequest: { Ref: "Csr" } }, policy: { PolicyName: "absent" } });
    expect(await refusal(provisioning.registerThing(body, { Serial: "1", Csr: "request" }))).toBe("fleet.policy_not_found");
    expect((await bench.fleet.certificates.list({})).items).toEqual([]);
    expect((await bench.fleet.things.list({})).items).toEqual([]);
    expect(await detailsOf(provisioning.registerThing("{}", {}))).toMatchObject({ path: "Resources" });
  });
});

describe("AW 3.4 just in time", () => {
  const body = JSON.stringify({
    Parameters: { "AWS::IoT::Certificate::Id": { Type: "String" } },
    Resources: {
      thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: { Ref: "AWS::IoT::Certificate::Id" } } },
      certificate: { Type: "AWS::IoT::Certificate", Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" } } },
    },
  });
  const authorityOf = (registration: object) =>
    bench.fleet.authorities.register(pems.ca, { mode: "SNI_ONLY", isActive: true, isAutoRegistering: true, registration });

  test.each(["templateBody", "templateName"])("the first connection registers the leaf and runs the template (%s)", async (member) => {
    await provisioning.templates.create({ name: "jitp", body, roleArn: "r", isEnabled: true, type: "JITP" });
    const authority = await authorityOf(member === "templateBody" ? { templateBody: body } : { templateName: "jitp" });
    const both = await Promise.all([provisioning.runJustInTime(authority, pems.p256), provisioning.runJustInTime(authority, pems.p256)]);
    expect(both[0]).toBe(both[1]);
    expect(both[0]).toMatchObject({ certificate: { status: "ACTIVE", caId: authority.id }, thingName: both[0].certificate.id });
  });

  test("a template that wants what the certificate has not leaves nothing, and the device may try again", async () => {
    const wanting = body.replace('"Parameters":{', '"Parameters":{"AWS::IoT::Certificate::Country":{"Type":"String"},');
    const authority = await authorityOf({ templateBody: wanting });
    const registered: FleetCertificate[] = [];
    bench.fleet.onChange((change) => change.kind === "certificate.registered" && registered.push(change.certificate));
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await refusal(provisioning.runJustInTime(authority, pems.p256))).toBe("provisioning.parameters_invalid");
      expect(registered).toHaveLength(attempt);
      expect(await bench.fleet.certificates.find(registered[0]?.id ?? "")).toBeUndefined();
    }
  });
});

describe("AW 16 claims", () => {
  test("a claim may ask for one template's things, and ends after five minutes", async () => {
    await createTemplate();
    const made = await provisioning.createClaim("lamps");
    expect(made).toMatchObject({ certificate: { status: "ACTIVE" }, privateKeyPem: "private", expiresAt: 301_000 });
    const { policies } = await bench.fleet.factsOf(made.certificate.id, "c");
    expect(policies.map(({ name }) => name)).toEqual(["ProvisioningClaim_lamps"]);
    expect(policies[0]?.document).toContain("topic/$aws/provisioning-templates/lamps/provision/*");
    for (let minute = 0; minute < 4; minute++) await bench.clock.pass(60_000);
    expect(await bench.fleet.certificates.find(made.certificate.id)).toBeDefined();
    await bench.clock.pass(60_000);
    await expect.poll(() => bench.fleet.certificates.find(made.certificate.id)).toBeUndefined();
    expect(bench.changes).toContainEqual({ kind: "certificate.status", certificateId: made.certificate.id, status: "INACTIVE" });
    expect(failures).toEqual([]);
  });

  test("none for a template that is not there or not enabled", async () => {
    expect(await refusal(provisioning.createClaim("lamps"))).toBe("provisioning.template_not_found");
    await createTemplate(templateOf(), { isEnabled: false });
    expect(await refusal(provisioning.createClaim("lamps"))).toBe("provisioning.template_disabled");
  });
});

describe("AW 16 templates", () => {
  test("versions: the default provisions, numbers are not used again", async () => {
    const { templates } = provisioning;
    await createTemplate();
    expect(await refusal(createTemplate())).toBe("provisioning.template_exists");
    const { version } = await templates.createVersion("lamps", templateOf({ policy: { PolicyName: "p" } }), false);
    expect(version.id).toBe(2);
    expect((await templates.get("lamps")).defaultVersionId).toBe(1);
    await templates.deleteVersion("lamps", 2);
    expect((await templates.createVersion("lamps", templateOf(), true)).version.id).toBe(3);
    expect((await templates.get("lamps")).defaultVersionId).toBe(3);
    expect(await refusal(templates.deleteVersion("lamps", 3))).toBe("provisioning.version_default");
    expect(await refusal(templates.getVersion("lamps", 2))).toBe("provisioning.version_not_found");
    await templates.update("lamps", { defaultVersionId: 1, description: "d" });
    expect(await templates.get("lamps")).toMatchObject({ defaultVersionId: 1, description: "d", isEnabled: true });
    for (let id = 4; id <= 6; id++) await templates.createVersion("lamps", templateOf(), false);
    expect(await refusal(templates.createVersion("lamps", templateOf(), false))).toBe("provisioning.versions_exceeded");
    expect((await templates.list({})).items.map(({ name }) => name)).toEqual(["lamps"]);
    await templates.delete("lamps");
    expect(await refusal(templates.get("lamps"))).toBe("provisioning.template_not_found");
  });

  test("a hook is set, kept and taken away", async () => {
    const { templates } = provisioning;
    await createTemplate(templateOf(), { hook: { targetArn: "https://a.example" } });
    expect((await templates.update("lamps", { description: "x" })).hook?.targetArn).toBe("https://a.example");
    expect((await templates.update("lamps", { hook: { targetArn: "http://b.example" } })).hook?.targetArn).toBe("http://b.example");
    await templates.update("lamps", { hook: null });
    expect((await templates.get("lamps")).hook).toBeUndefined();
  });

  test("names and bodies are checked", async () => {
    expect(await refusal(createTemplate("{}"))).toBe("provisioning.template_malformed");
    expect(await refusal(provisioning.templates.create({ name: "a b", body: templateOf(), roleArn: "r" }))).toBe(
      "provisioning.member_invalid",
    );
  });
});
