/** The control plane over the fleet, called by the vendor's own client: every operation, and what it reads of the answers. */
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as aws from "@aws-sdk/client-iot";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type AwsFixture, awsAccountId, awsRegion, startAwsFixture } from "./support/aws-fixture.ts";
import { repository } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";

let fixture: AwsFixture;
let iot: aws.IoTClient;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thingstead-aws-"));
  fixture = await startAwsFixture({ environment: { THINGSTEAD_AWS_ENDPOINT: "data.things.example" } });
  ({ iot } = fixture);
});

afterAll(async () => {
  await fixture?.remove();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach((context) => needProgram(context, "openssl"));

/** Name and status of the exception that the client throws. */
async function refusalOf(
  call: Promise<unknown>,
): Promise<{ name: string; status: number; message: string; error: Record<string, unknown> }> {
  const error = await call.then(
    () => {
      throw new Error("it was not refused");
    },
    (each) => each,
  );
  return { name: error.name, status: error.$metadata?.httpStatusCode, message: error.message, error };
}

const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
const read = (name: string) => readFileSync(join(folder, name), "utf8");
const key = (name: string) => openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`);

function authority(name: string): string {
  key(name);
  openssl("req", "-x509", "-new", "-key", `${name}.key`, "-subj", `/CN=${name}`, "-days", "2", "-out", `${name}.crt`);
  return read(`${name}.crt`);
}

function request(name: string, commonName = name): string {
  key(name);
  openssl("req", "-new", "-key", `${name}.key`, "-subj", `/CN=${commonName}`, "-out", `${name}.csr`);
  return read(`${name}.csr`);
}

function issue(name: string, issuer: string, commonName = name): string {
  request(name, commonName);
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    `${issuer}.crt`,
    "-CAkey",
    `${issuer}.key`,
    "-CAcreateserial",
    "-days",
    "2",
    "-out",
    `${name}.crt`,
  );
  return read(`${name}.crt`);
}

const idOf = (pem: string) => createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");

test("2.1: endpoints, and those that this server has not", async () => {
  for (const endpointType of ["iot:Data-ATS", "iot:Data", "iot:Jobs", undefined]) {
    const { endpointAddress } = await iot.send(new aws.DescribeEndpointCommand({ endpointType }));
    expect(endpointAddress).toBe("data.things.example");
  }
  const lacking = await refusalOf(iot.send(new aws.DescribeEndpointCommand({ endpointType: "iot:CredentialProvider" })));
  expect(lacking).toMatchObject({ name: "InvalidRequestException", status: 400 });
  expect(lacking.message).toContain("not supported");
});

test("4: things with attributes, versions and pages", async () => {
  const made = await iot.send(new aws.CreateThingCommand({ thingName: "lamp-1", attributePayload: { attributes: { room: "hall" } } }));
  expect(made.thingArn).toBe(`arn:aws:iot:${awsRegion}:${awsAccountId}:thing/lamp-1`);
  expect(made.thingId).toMatch(/^[0-9a-f-]{36}$/);
  const again = await iot.send(new aws.CreateThingCommand({ thingName: "lamp-1", attributePayload: { attributes: { room: "hall" } } }));
  expect(again.thingId).toBe(made.thingId);
  const other = await refusalOf(
    iot.send(new aws.CreateThingCommand({ thingName: "lamp-1", attributePayload: { attributes: { room: "attic" } } })),
  );
  expect(other).toMatchObject({ name: "ResourceAlreadyExistsException", status: 409 });
  expect(other.error).toMatchObject({ resourceId: made.thingId, resourceArn: made.thingArn });

  await iot.send(
    new aws.UpdateThingCommand({ thingName: "lamp-1", attributePayload: { attributes: { floor: "2" }, merge: true }, expectedVersion: 1 }),
  );
  const described = await iot.send(new aws.DescribeThingCommand({ thingName: "lamp-1" }));
  expect(described).toMatchObject({
    thingName: "lamp-1",
    defaultClientId: "lamp-1",
    thingId: made.thingId,
    thingArn: made.thingArn,
    attributes: { room: "hall", floor: "2" },
    version: 2,
  });
  expect(
    await refusalOf(
      iot.send(new aws.UpdateThingCommand({ thingName: "lamp-1", attributePayload: { attributes: {} }, expectedVersion: 1 })),
    ),
  ).toMatchObject({
    name: "VersionConflictException",
    status: 409,
  });
  await iot.send(new aws.CreateThingCommand({ thingName: "lamp-2", attributePayload: { attributes: { room: "hallway" } } }));
  await iot.send(new aws.CreateThingCommand({ thingName: "lamp-3" }));
  const pages: string[][] = [];
  for await (const page of aws.paginateListThings({ client: iot, pageSize: 2 }, {}))
    pages.push((page.things ?? []).map(({ thingName = "" }) => thingName));
  expect(pages).toEqual([["lamp-1", "lamp-2"], ["lamp-3"]]);
  const found = await iot.send(new aws.ListThingsCommand({ attributeName: "room", attributeValue: "hall", usePrefixAttributeValue: true }));
  expect(found.things?.map(({ thingName }) => thingName)).toEqual(["lamp-1", "lamp-2"]);
  await iot.send(new aws.DeleteThingCommand({ thingName: "lamp-3", expectedVersion: 1 }));
  expect(await refusalOf(iot.send(new aws.DescribeThingCommand({ thingName: "lamp-3" })))).toMatchObject({
    name: "ResourceNotFoundException",
    status: 404,
  });
  expect(await refusalOf(iot.send(new aws.ListThingsCommand({ nextToken: "nonsense" })))).toMatchObject({
    name: "InvalidRequestException",
    status: 400,
  });
});

test("4: thing types are deprecated before they go", async () => {
  const thingTypeName = "bulb";
  const thingTypeProperties = { thingTypeDescription: "screws in", searchableAttributes: ["watts"] };
  const made = await iot.send(new aws.CreateThingTypeCommand({ thingTypeName, thingTypeProperties, tags: [{ Key: "line", Value: "7" }] }));
  expect(made.thingTypeArn).toBe(fixture.arn("thingtype/bulb"));
  expect((await iot.send(new aws.ListTagsForResourceCommand({ resourceArn: made.thingTypeArn }))).tags).toEqual([
    { Key: "line", Value: "7" },
  ]);
  await iot.send(
    new aws.UpdateThingTypeCommand({
      thingTypeName,
      thingTypeProperties: { mqtt5Configuration: { propagatingAttributes: [{ userPropertyKey: "watts", thingAttribute: "watts" }] } },
    }),
  );
  const described = await iot.send(new aws.DescribeThingTypeCommand({ thingTypeName }));
  expect(described.thingTypeId).toBe(made.thingTypeId);
  expect(described.thingTypeProperties?.mqtt5Configuration?.propagatingAttributes).toEqual([
    { userPropertyKey: "watts", thingAttribute: "watts" },
  ]);
  expect(described.thingTypeMetadata?.creationDate).toBeInstanceOf(Date);
  await iot.send(new aws.UpdateThingCommand({ thingName: "lamp-2", thingTypeName }));
  expect((await iot.send(new aws.ListThingsCommand({ thingTypeName }))).things?.map(({ thingName }) => thingName)).toEqual(["lamp-2"]);
  await iot.send(new aws.UpdateThingCommand({ thingName: "lamp-2", removeThingType: true }));
  await iot.send(new aws.DeprecateThingTypeCommand({ thingTypeName }));
  const listed = await iot.send(new aws.ListThingTypesCommand({ thingTypeName }));
  expect(listed.thingTypes?.[0]?.thingTypeMetadata).toMatchObject({ deprecated: true, deprecationDate: expect.any(Date) });
  expect(await refusalOf(iot.send(new aws.DeleteThingTypeCommand({ thingTypeName })))).toMatchObject({
    name: "InvalidRequestException",
    status: 400,
  });
  await iot.send(new aws.DeprecateThingTypeCommand({ thingTypeName, undoDeprecate: true }));
  expect((await iot.send(new aws.DescribeThingTypeCommand({ thingTypeName }))).thingTypeMetadata?.deprecated).toBe(false);
});

test("4: groups are a tree, and things are in them", async () => {
  const house = await iot.send(
    new aws.CreateThingGroupCommand({
      thingGroupName: "house",
      thingGroupProperties: { thingGroupDescription: "all of it", attributePayload: { attributes: { street: "1" } } },
    }),
  );
  await iot.send(new aws.CreateThingGroupCommand({ thingGroupName: "floor", parentGroupName: "house" }));
  await iot.send(new aws.CreateThingGroupCommand({ thingGroupName: "garden" }));
  const described = await iot.send(new aws.DescribeThingGroupCommand({ thingGroupName: "floor" }));
  expect(described.thingGroupMetadata).toMatchObject({
    parentGroupName: "house",
    rootToParentThingGroups: [{ groupName: "house", groupArn: house.thingGroupArn }],
    creationDate: expect.any(Date),
  });
  const update = new aws.UpdateThingGroupCommand({
    thingGroupName: "house",
    thingGroupProperties: { thingGroupDescription: "sold" },
    expectedVersion: 1,
  });
  expect((await iot.send(update)).version).toBe(2);
  await iot.send(new aws.AddThingToThingGroupCommand({ thingGroupName: "floor", thingArn: fixture.arn("thing/lamp-1") }));
  expect((await iot.send(new aws.ListThingsInThingGroupCommand({ thingGroupName: "house" }))).things).toEqual([]);
  expect((await iot.send(new aws.ListThingsInThingGroupCommand({ thingGroupName: "house", recursive: true }))).things).toEqual(["lamp-1"]);
  await iot.send(
    new aws.UpdateThingGroupsForThingCommand({
      thingName: "lamp-1",
      thingGroupsToRemove: ["floor"],
      thingGroupsToAdd: ["house", "garden"],
    }),
  );
  const groups = await iot.send(new aws.ListThingGroupsForThingCommand({ thingName: "lamp-1" }));
  expect(groups.thingGroups?.map(({ groupName }) => groupName).sort()).toEqual(["garden", "house"]);
  await iot.send(new aws.RemoveThingFromThingGroupCommand({ thingGroupArn: fixture.arn("thinggroup/garden"), thingName: "lamp-1" }));
  const below = await iot.send(new aws.ListThingGroupsCommand({ parentGroup: "house" }));
  expect(below.thingGroups).toEqual([{ groupName: "floor", groupArn: fixture.arn("thinggroup/floor") }]);
  expect(await refusalOf(iot.send(new aws.DeleteThingGroupCommand({ thingGroupName: "house" })))).toMatchObject({
    name: "InvalidRequestException",
  });
  await iot.send(new aws.DeleteThingGroupCommand({ thingGroupName: "floor" }));
  const wrong = await refusalOf(
    iot.send(new aws.AddThingToThingGroupCommand({ thingGroupName: "house", thingArn: "arn:aws:iot:x:y:thing/z" })),
  );
  expect(wrong).toMatchObject({ name: "InvalidRequestException", status: 400 });
  expect(wrong.message).toContain("thingArn");
});

test("3: certificates with keys, from a request, and of any issuer", async () => {
  const made = await iot.send(new aws.CreateKeysAndCertificateCommand({ setAsActive: true }));
  expect(made.certificateId).toBe(idOf(made.certificatePem ?? ""));
  expect(made.certificateArn).toBe(fixture.arn(`cert/${made.certificateId}`));
  writeFileSync(join(folder, "made.key"), made.keyPair?.PrivateKey ?? "");
  expect(openssl("pkey", "-in", "made.key", "-pubout").toString()).toBe(made.keyPair?.PublicKey);

  const fromCsr = await iot.send(new aws.CreateCertificateFromCsrCommand({ certificateSigningRequest: request("by-request") }));
  const certificateId = fromCsr.certificateId ?? "";
  const description = async () => (await iot.send(new aws.DescribeCertificateCommand({ certificateId }))).certificateDescription;
  expect(await description()).toMatchObject({
    certificateId,
    status: "INACTIVE",
    certificatePem: fromCsr.certificatePem,
    ownedBy: awsAccountId,
    certificateMode: "DEFAULT",
    creationDate: expect.any(Date),
    lastModifiedDate: expect.any(Date),
    validity: { notBefore: expect.any(Date), notAfter: expect.any(Date) },
  });
  await iot.send(new aws.UpdateCertificateCommand({ certificateId, newStatus: "ACTIVE" }));
  expect((await description())?.status).toBe("ACTIVE");
  expect(await refusalOf(iot.send(new aws.DeleteCertificateCommand({ certificateId })))).toMatchObject({
    name: "CertificateStateException",
    status: 406,
  });
  expect(await refusalOf(iot.send(new aws.UpdateCertificateCommand({ certificateId, newStatus: "PENDING_ACTIVATION" })))).toMatchObject({
    name: "InvalidRequestException",
  });
  await iot.send(new aws.UpdateCertificateCommand({ certificateId, newStatus: "REVOKED" }));
  await iot.send(new aws.DeleteCertificateCommand({ certificateId, forceDelete: true }));
  expect(await refusalOf(iot.send(new aws.DescribeCertificateCommand({ certificateId })))).toMatchObject({
    name: "ResourceNotFoundException",
  });

  authority("nobody-we-know");
  const certificatePem = issue("foreign", "nobody-we-know");
  const registered = await iot.send(new aws.RegisterCertificateWithoutCACommand({ certificatePem, status: "ACTIVE" }));
  expect(registered.certificateId).toBe(idOf(certificatePem));
  expect(await refusalOf(iot.send(new aws.RegisterCertificateWithoutCACommand({ certificatePem })))).toMatchObject({
    name: "ResourceAlreadyExistsException",
    error: { resourceArn: registered.certificateArn },
  });
  const newest = await iot.send(new aws.ListCertificatesCommand({ pageSize: 1 }));
  expect(newest.certificates?.map((each) => each.certificateId)).toEqual([registered.certificateId]);
  const rest = await iot.send(new aws.ListCertificatesCommand({ marker: newest.nextMarker }));
  expect(rest.certificates?.map((each) => each.certificateId)).toEqual([made.certificateId]);
  const oldest = await iot.send(new aws.ListCertificatesCommand({ ascendingOrder: true, pageSize: 1 }));
  expect(oldest.certificates?.[0]).toMatchObject({ certificateId: made.certificateId, status: "ACTIVE", creationDate: expect.any(Date) });
  expect(await refusalOf(iot.send(new aws.CreateCertificateFromCsrCommand({ certificateSigningRequest: "no request" })))).toMatchObject({
    status: 400,
  });
});

test("3.4: a CA proves itself by the registration code; what it signed is found by it", async () => {
  const { registrationCode = "" } = await iot.send(new aws.GetRegistrationCodeCommand({}));
  expect(registrationCode).toMatch(/^[0-9a-f]{64}$/);
  const caCertificate = authority("our-ca");
  const wrong = new aws.RegisterCACertificateCommand({ caCertificate, verificationCertificate: issue("wrong", "our-ca", "another-code") });
  expect(await refusalOf(iot.send(wrong))).toMatchObject({ name: "RegistrationCodeValidationException", status: 400 });
  const registered = await iot.send(
    new aws.RegisterCACertificateCommand({
      caCertificate,
      verificationCertificate: issue("proof", "our-ca", registrationCode),
      setAsActive: true,
      allowAutoRegistration: true,
      tags: [{ Key: "plant", Value: "1" }],
    }),
  );
  const certificateId = registered.certificateId ?? "";
  expect(registered.certificateArn).toBe(fixture.arn(`cacert/${idOf(caCertificate)}`));
  const described = await iot.send(new aws.DescribeCACertificateCommand({ certificateId }));
  expect(described.certificateDescription).toMatchObject({
    status: "ACTIVE",
    autoRegistrationStatus: "ENABLE",
    certificateMode: "DEFAULT",
    validity: { notAfter: expect.any(Date) },
  });

  const certificatePem = issue("leaf", "our-ca");
  const leaf = await iot.send(new aws.RegisterCertificateCommand({ certificatePem, caCertificatePem: caCertificate, setAsActive: true }));
  const byCa = await iot.send(new aws.ListCertificatesByCACommand({ caCertificateId: certificateId }));
  expect(byCa.certificates?.map((each) => each.certificateId)).toEqual([leaf.certificateId]);
  const description = await iot.send(new aws.DescribeCertificateCommand({ certificateId: leaf.certificateId }));
  expect(description.certificateDescription?.caCertificateId).toBe(certificateId);
  authority("unknown-ca");
  expect(await refusalOf(iot.send(new aws.RegisterCertificateCommand({ certificatePem: issue("stray", "unknown-ca") })))).toMatchObject({
    name: "CertificateValidationException",
  });

  await iot.send(
    new aws.UpdateCACertificateCommand({
      certificateId,
      newAutoRegistrationStatus: "DISABLE",
      registrationConfig: { templateBody: '{"Resources":{}}', roleArn: "arn:aws:iam::1:role/r" },
    }),
  );
  const updated = await iot.send(new aws.DescribeCACertificateCommand({ certificateId }));
  expect(updated.certificateDescription?.autoRegistrationStatus).toBe("DISABLE");
  expect(updated.registrationConfig?.templateBody).toBe('{"Resources":{}}');
  expect((await iot.send(new aws.ListCACertificatesCommand({ pageSize: 10 }))).certificates?.map((each) => each.certificateId)).toEqual([
    certificateId,
  ]);
  expect(await refusalOf(iot.send(new aws.DeleteCACertificateCommand({ certificateId })))).toMatchObject({
    name: "CertificateStateException",
    status: 406,
  });
  await iot.send(new aws.UpdateCACertificateCommand({ certificateId, newStatus: "INACTIVE", removeAutoRegistration: true }));
  expect((await iot.send(new aws.DescribeCACertificateCommand({ certificateId }))).registrationConfig).toBeUndefined();
  await iot.send(new aws.DeleteCACertificateCommand({ certificateId }));
  await iot.send(new aws.DeleteRegistrationCodeCommand({}));
  expect((await iot.send(new aws.GetRegistrationCodeCommand({}))).registrationCode).not.toBe(registrationCode);
});

const documentOf = (effect: "Allow" | "Deny", action: string, resource: string) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: effect, Action: action, Resource: resource }] });

test("5: policies with versions, attached to certificates and groups", async () => {
  const policyName = "lamps";
  const policyDocument = documentOf("Allow", "iot:Publish", fixture.arn("topic/lamps/*"));
  const made = await iot.send(new aws.CreatePolicyCommand({ policyName, policyDocument, tags: [{ Key: "a", Value: "b" }] }));
  expect(made).toMatchObject({ policyArn: fixture.arn("policy/lamps"), policyVersionId: "1", policyDocument });
  const malformed = await refusalOf(
    iot.send(
      new aws.CreatePolicyCommand({ policyName: "bad", policyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}' }),
    ),
  );
  expect(malformed).toMatchObject({ name: "MalformedPolicyException", status: 400 });
  expect(malformed.message).toContain("Effect");
  const second = documentOf("Allow", "iot:*", "*");
  const version = await iot.send(new aws.CreatePolicyVersionCommand({ policyName, policyDocument: second, setAsDefault: true }));
  expect(version).toMatchObject({ policyVersionId: "2", isDefaultVersion: true });
  expect(await iot.send(new aws.GetPolicyCommand({ policyName }))).toMatchObject({
    policyDocument: second,
    defaultVersionId: "2",
    creationDate: expect.any(Date),
    lastModifiedDate: expect.any(Date),
    generationId: expect.any(String),
  });
  await iot.send(new aws.SetDefaultPolicyVersionCommand({ policyName, policyVersionId: "1" }));
  expect(await iot.send(new aws.GetPolicyVersionCommand({ policyName, policyVersionId: "1" }))).toMatchObject({
    policyName,
    isDefaultVersion: true,
    policyDocument,
  });
  const versions = await iot.send(new aws.ListPolicyVersionsCommand({ policyName }));
  expect(versions.policyVersions?.map((each) => [each.versionId, each.isDefaultVersion]).sort()).toEqual([
    ["1", true],
    ["2", false],
  ]);
  expect(await refusalOf(iot.send(new aws.DeletePolicyVersionCommand({ policyName, policyVersionId: "1" })))).toMatchObject({
    name: "DeleteConflictException",
    status: 409,
  });
  for (let count = 3; count <= 5; count++) await iot.send(new aws.CreatePolicyVersionCommand({ policyName, policyDocument: second }));
  expect(await refusalOf(iot.send(new aws.CreatePolicyVersionCommand({ policyName, policyDocument: second })))).toMatchObject({
    name: "VersionsLimitExceededException",
    status: 409,
  });

  const { certificateArn: target = "" } = await iot.send(new aws.CreateKeysAndCertificateCommand({ setAsActive: true }));
  const group = fixture.arn("thinggroup/house");
  await iot.send(new aws.AttachPolicyCommand({ policyName, target }));
  await iot.send(new aws.AttachPolicyCommand({ policyName, target: group }));
  await iot.send(new aws.AttachPolicyCommand({ policyName, target: `${awsRegion}:11111111-2222-3333-4444-555555555555` }));
  const targets = await iot.send(new aws.ListTargetsForPolicyCommand({ policyName }));
  expect(targets.targets?.sort()).toEqual([target, group, `${awsRegion}:11111111-2222-3333-4444-555555555555`].sort());
  expect((await iot.send(new aws.ListAttachedPoliciesCommand({ target }))).policies).toEqual([{ policyName, policyArn: made.policyArn }]);
  await iot.send(new aws.CreateThingGroupCommand({ thingGroupName: "cellar", parentGroupName: "house" }));
  const cellar = fixture.arn("thinggroup/cellar");
  expect((await iot.send(new aws.ListAttachedPoliciesCommand({ target: cellar }))).policies).toEqual([]);
  expect((await iot.send(new aws.ListAttachedPoliciesCommand({ target: cellar, recursive: true }))).policies).toHaveLength(1);
  expect((await iot.send(new aws.ListPoliciesCommand({ ascendingOrder: true }))).policies?.map((each) => each.policyName)).toContain(
    policyName,
  );
  expect(await refusalOf(iot.send(new aws.DeletePolicyCommand({ policyName })))).toMatchObject({
    name: "DeleteConflictException",
    status: 409,
  });
  const nowhere = await refusalOf(iot.send(new aws.AttachPolicyCommand({ policyName, target: fixture.arn("cert/00") })));
  expect(nowhere).toMatchObject({ name: "InvalidRequestException", status: 400 });

  // Deprecated by the vendor and still used.
  await iot.send(new aws.DetachPolicyCommand({ policyName, target }));
  await iot.send(new aws.AttachPrincipalPolicyCommand({ policyName, principal: target }));
  expect((await iot.send(new aws.ListPrincipalPoliciesCommand({ principal: target }))).policies).toHaveLength(1);
  expect((await iot.send(new aws.ListPolicyPrincipalsCommand({ policyName }))).principals).toContain(target);
  await iot.send(new aws.DetachPrincipalPolicyCommand({ policyName, principal: target }));
  await iot.send(new aws.DetachPolicyCommand({ policyName, target: group }));
  await iot.send(new aws.DetachPolicyCommand({ policyName, target: `${awsRegion}:11111111-2222-3333-4444-555555555555` }));
  for (const policyVersionId of ["2", "3", "4", "5"]) await iot.send(new aws.DeletePolicyVersionCommand({ policyName, policyVersionId }));
  await iot.send(new aws.DeletePolicyCommand({ policyName }));
  expect((await iot.send(new aws.ListTagsForResourceCommand({ resourceArn: made.policyArn }))).tags).toEqual([]);
});

test("4, 5.6: principals of things, what they may do in effect, and what they would be told", async () => {
  const { certificateArn: principal = "" } = await iot.send(new aws.CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(new aws.AttachThingPrincipalCommand({ thingName: "lamp-1", principal, thingPrincipalType: "EXCLUSIVE_THING" }));
  expect((await iot.send(new aws.ListThingPrincipalsCommand({ thingName: "lamp-1" }))).principals).toEqual([principal]);
  expect((await iot.send(new aws.ListPrincipalThingsCommand({ principal }))).things).toEqual(["lamp-1"]);
  expect((await iot.send(new aws.ListThingPrincipalsV2Command({ thingName: "lamp-1" }))).thingPrincipalObjects).toEqual([
    { principal, thingPrincipalType: "EXCLUSIVE_THING" },
  ]);
  expect(
    (await iot.send(new aws.ListPrincipalThingsV2Command({ principal, thingPrincipalType: "EXCLUSIVE_THING" }))).principalThingObjects,
  ).toEqual([{ thingName: "lamp-1", thingPrincipalType: "EXCLUSIVE_THING" }]);
  const attached = await refusalOf(iot.send(new aws.DeleteThingCommand({ thingName: "lamp-1" })));
  expect(attached).toMatchObject({ name: "InvalidRequestException", status: 400 });

  const own = documentOf("Allow", "iot:Publish", fixture.arn("topic/$" + "{iot:Connection.Thing.ThingName}/*"));
  await iot.send(new aws.CreatePolicyCommand({ policyName: "own", policyDocument: own }));
  await iot.send(
    new aws.CreatePolicyCommand({ policyName: "no-secrets", policyDocument: documentOf("Deny", "iot:*", fixture.arn("topic/*/secret")) }),
  );
  await iot.send(new aws.AttachPolicyCommand({ policyName: "own", target: principal }));
  await iot.send(new aws.AttachPolicyCommand({ policyName: "no-secrets", target: fixture.arn("thinggroup/house") }));
  const effective = await iot.send(new aws.GetEffectivePoliciesCommand({ principal, thingName: "lamp-1" }));
  expect(effective.effectivePolicies?.map((each) => each.policyName).sort()).toEqual(["no-secrets", "own"]);
  expect(effective.effectivePolicies?.find((each) => each.policyName === "own")?.policyDocument).toBe(own);

  const tested = await iot.send(
    new aws.TestAuthorizationCommand({
      principal,
      clientId: "lamp-1",
      authInfos: [
        { actionType: "PUBLISH", resources: [fixture.arn("topic/lamp-1/state")] },
        { actionType: "PUBLISH", resources: [fixture.arn("topic/lamp-1/secret")] },
        { actionType: "CONNECT", resources: [fixture.arn("client/lamp-1")] },
      ],
    }),
  );
  expect(tested.authResults?.map((each) => each.authDecision)).toEqual(["ALLOWED", "EXPLICIT_DENY", "IMPLICIT_DENY"]);
  expect(tested.authResults?.[0]?.allowed?.policies?.map((each) => each.policyName)).toEqual(["own"]);
  expect(tested.authResults?.[1]?.denied?.explicitDeny?.policies?.map((each) => each.policyName)).toEqual(["no-secrets"]);
  const without = await iot.send(
    new aws.TestAuthorizationCommand({
      principal,
      clientId: "lamp-1",
      policyNamesToSkip: ["no-secrets"],
      policyNamesToAdd: ["own"],
      authInfos: [{ actionType: "PUBLISH", resources: [fixture.arn("topic/lamp-1/secret")] }],
    }),
  );
  expect(without.authResults?.[0]?.authDecision).toBe("ALLOWED");
  await iot.send(new aws.DetachThingPrincipalCommand({ thingName: "lamp-1", principal }));
  await iot.send(new aws.DeleteThingCommand({ thingName: "lamp-1" }));
});

test("10.3, 16: switches of events, tags and logging options", async () => {
  expect((await iot.send(new aws.DescribeEventConfigurationsCommand({}))).eventConfigurations?.THING).toEqual({ Enabled: false });
  await iot.send(new aws.UpdateEventConfigurationsCommand({ eventConfigurations: { THING: { Enabled: true }, JOB: { Enabled: true } } }));
  await iot.send(new aws.UpdateEventConfigurationsCommand({ eventConfigurations: { JOB: { Enabled: false } } }));
  const described = await iot.send(new aws.DescribeEventConfigurationsCommand({}));
  expect(described.eventConfigurations).toMatchObject({ THING: { Enabled: true }, JOB: { Enabled: false } });
  expect(described.lastModifiedDate).toBeInstanceOf(Date);

  const resourceArn = fixture.arn("thinggroup/garden");
  await iot.send(
    new aws.TagResourceCommand({
      resourceArn,
      tags: [
        { Key: "a", Value: "1" },
        { Key: "b", Value: "2" },
      ],
    }),
  );
  await iot.send(new aws.UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
  expect((await iot.send(new aws.ListTagsForResourceCommand({ resourceArn }))).tags).toEqual([{ Key: "b", Value: "2" }]);
  expect(await refusalOf(iot.send(new aws.TagResourceCommand({ resourceArn: "arn:aws:s3:::bucket", tags: [] })))).toMatchObject({
    name: "InvalidRequestException",
  });

  expect(await refusalOf(iot.send(new aws.GetV2LoggingOptionsCommand({})))).toMatchObject({ name: "NotConfiguredException", status: 404 });
  await iot.send(new aws.SetV2LoggingOptionsCommand({ roleArn: "arn:aws:iam::1:role/log", defaultLogLevel: "WARN" }));
  expect(await iot.send(new aws.GetV2LoggingOptionsCommand({}))).toMatchObject({
    roleArn: "arn:aws:iam::1:role/log",
    defaultLogLevel: "WARN",
    disableAllLogs: false,
  });
});

test("16: authorizers, role aliases and billing groups", async () => {
  const authorizerFunctionArn = "http://127.0.0.1:1/authorize";
  const { authorizerArn } = await iot.send(
    new aws.CreateAuthorizerCommand({ authorizerName: "hook", authorizerFunctionArn, signingDisabled: true, status: "ACTIVE" }),
  );
  expect(authorizerArn).toBe(fixture.arn("authorizer/hook"));
  const unsigned = await refusalOf(iot.send(new aws.CreateAuthorizerCommand({ authorizerName: "other", authorizerFunctionArn })));
  expect(unsigned).toMatchObject({ name: "InvalidRequestException" });
  await iot.send(new aws.UpdateAuthorizerCommand({ authorizerName: "hook", enableCachingForHttp: true }));
  expect((await iot.send(new aws.DescribeAuthorizerCommand({ authorizerName: "hook" }))).authorizerDescription).toMatchObject({
    authorizerFunctionArn,
    status: "ACTIVE",
    signingDisabled: true,
    enableCachingForHttp: true,
    creationDate: expect.any(Date),
  });
  expect((await iot.send(new aws.ListAuthorizersCommand({ status: "ACTIVE" }))).authorizers).toEqual([
    { authorizerName: "hook", authorizerArn },
  ]);
  expect(await refusalOf(iot.send(new aws.DescribeDefaultAuthorizerCommand({})))).toMatchObject({ name: "ResourceNotFoundException" });
  await iot.send(new aws.SetDefaultAuthorizerCommand({ authorizerName: "hook" }));
  expect((await iot.send(new aws.DescribeDefaultAuthorizerCommand({}))).authorizerDescription?.authorizerName).toBe("hook");
  expect(await refusalOf(iot.send(new aws.DeleteAuthorizerCommand({ authorizerName: "hook" })))).toMatchObject({
    name: "DeleteConflictException",
  });
  await iot.send(new aws.ClearDefaultAuthorizerCommand({}));
  await iot.send(new aws.UpdateAuthorizerCommand({ authorizerName: "hook", status: "INACTIVE" }));
  await iot.send(new aws.DeleteAuthorizerCommand({ authorizerName: "hook" }));

  const roleArn = "arn:aws:iam::1:role/device";
  const { roleAliasArn } = await iot.send(new aws.CreateRoleAliasCommand({ roleAlias: "files", roleArn }));
  await iot.send(new aws.UpdateRoleAliasCommand({ roleAlias: "files", credentialDurationSeconds: 900 }));
  expect((await iot.send(new aws.DescribeRoleAliasCommand({ roleAlias: "files" }))).roleAliasDescription).toMatchObject({
    roleAliasArn,
    roleArn,
    owner: awsAccountId,
    credentialDurationSeconds: 900,
  });
  expect((await iot.send(new aws.ListRoleAliasesCommand({}))).roleAliases).toEqual(["files"]);
  expect(await refusalOf(iot.send(new aws.CreateRoleAliasCommand({ roleAlias: "files", roleArn })))).toMatchObject({
    name: "ResourceAlreadyExistsException",
  });
  await iot.send(new aws.DeleteRoleAliasCommand({ roleAlias: "files" }));

  const { billingGroupId } = await iot.send(new aws.CreateBillingGroupCommand({ billingGroupName: "north" }));
  const properties = { billingGroupDescription: "pays itself" };
  expect(
    (
      await iot.send(
        new aws.UpdateBillingGroupCommand({ billingGroupName: "north", billingGroupProperties: properties, expectedVersion: 1 }),
      )
    ).version,
  ).toBe(2);
  expect(await iot.send(new aws.DescribeBillingGroupCommand({ billingGroupName: "north" }))).toMatchObject({
    billingGroupId,
    version: 2,
    billingGroupProperties: properties,
  });
  expect((await iot.send(new aws.ListBillingGroupsCommand({ namePrefixFilter: "no" }))).billingGroups).toEqual([
    { groupName: "north", groupArn: fixture.arn("billinggroup/north") },
  ]);
  await iot.send(new aws.DeleteBillingGroupCommand({ billingGroupName: "north" }));
});

test("what the vendor has and this server lacks is refused by its name, at once", async () => {
  const lacking = await refusalOf(iot.send(new aws.ListSecurityProfilesCommand({})));
  expect(lacking).toMatchObject({
    name: "NotImplementedException",
    status: 501,
    message: "ListSecurityProfiles is not supported by this server.",
  });
  expect((lacking.error.$metadata as { attempts: number }).attempts).toBe(1);
});

test("every operation of these families is called above", () => {
  const operations = join(repository, "packages/platform/src/api/aws/operations");
  const files = readdirSync(operations).filter((name) => /^(fleet-[\w-]+|tags)\.ts$/.test(name));
  const have = files.flatMap((name) =>
    [...readFileSync(join(operations, name), "utf8").matchAll(/\biotOperation\(\s*"(\w+)"/g)].map(([, each]) => each),
  );
  const text = readFileSync(import.meta.filename, "utf8");
  expect(have.length).toBeGreaterThan(60);
  expect(have.filter((name) => !text.includes(`${name}Command(`))).toEqual([]);
});
