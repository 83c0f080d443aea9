import fc from "fast-check";
import { describe, expect, test } from "vitest";
import names from "../../../../conformance/aws/certificate-names.json" with { type: "json" };
import { readCertificateNames } from "./certificate-names.ts";
import { readTemplate } from "./template.ts";
import { certificateParameters, planProvisioning } from "./template-plan.ts";

const certificate = {
  Type: "AWS::IoT::Certificate",
  Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "Active" },
};
const parameters = { SerialNumber: "A-1-b", "AWS::IoT::Certificate::Id": "ab" };

function plan(body: object, given: Record<string, string> = parameters) {
  const reading = readTemplate(JSON.stringify(body));
  return reading.kind === "template" ? planProvisioning(reading.template, given) : reading;
}

function planName(name: unknown, extra: object = {}, given?: Record<string, string>) {
  const outcome = plan(
    { Resources: { certificate, thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: name } } }, ...extra },
    given,
  );
  return outcome.kind === "plan" ? outcome.plan.thing?.name : outcome;
}

test("[AW 13] a template with everything becomes a plan", () => {
  const outcome = plan({
    Parameters: { SerialNumber: { Type: "String" }, Location: { Type: "String", Default: "kitchen" } },
    Mappings: { Urls: { kitchen: { url: "https://k.example" } } },
    Resources: {
      thing: {
        Type: "AWS::IoT::Thing",
        Properties: {
          ThingName: { "Fn::Join": ["", ["lamp_", { Ref: "SerialNumber" }]] },
          ThingTypeName: "lamp",
          AttributePayload: { version: "v1", serial: { Ref: "SerialNumber" } },
          ThingGroups: ["lamps", { Ref: "Location" }, "lamps"],
          BillingGroup: "b",
        },
        OverrideSettings: { AttributePayload: "MERGE", THING_TYPE_NAME: "REPLACE", ThingGroups: "FAIL" },
      },
      certificate,
      named: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "devices" } },
      text: { Type: "AWS::IoT::Policy", Properties: { PolicyDocument: '{"Version":"2012-10-17"}' } },
      document: { Type: "AWS::IoT::Policy", Properties: { PolicyDocument: { Version: "2012-10-17", Statement: [] } } },
    },
    DeviceConfiguration: { url: { "Fn::FindInMap": ["Urls", { Ref: "Location" }, "url"] }, mode: "on" },
  });
  expect(outcome).toEqual({
    kind: "plan",
    plan: {
      thing: {
        logicalName: "thing",
        name: "lamp_A-1-b",
        typeName: "lamp",
        attributes: { version: "v1", serial: "A-1-b" },
        groups: ["lamps", "kitchen"],
        billingGroupName: "b",
        overrides: { attributes: "MERGE", typeName: "REPLACE", groups: "FAIL" },
      },
      certificate: { logicalName: "certificate", source: { kind: "id", id: "ab" }, status: "ACTIVE", override: "REPLACE" },
      policies: [
        { logicalName: "named", name: "devices" },
        { logicalName: "text", document: '{"Version":"2012-10-17"}' },
        { logicalName: "document", document: '{"Version":"2012-10-17","Statement":[]}' },
      ],
      deviceConfiguration: { url: "https://k.example", mode: "on" },
    },
  });
});

describe("[AW 13] functions", () => {
  const mappings = { Mappings: { M: { a: { x: "found", list: ["l0", "l1"] } } } };
  test.each<[unknown, string]>([
    ["plain", "plain"],
    [7, "7"],
    [{ Ref: "SerialNumber" }, "A-1-b"],
    [{ "Fn::Join": ["-", ["a", { Ref: "SerialNumber" }, "c"]] }, "a-A-1-b-c"],
    [{ "Fn::Select": [1, ["a", "b"]] }, "b"],
    [{ "Fn::Select": ["0", { "Fn::Split": ["-", { Ref: "SerialNumber" }] }] }, "A"],
    [{ "Fn::Join": ["_", { "Fn::Split": ["-", { Ref: "SerialNumber" }] }] }, "A_1_b"],
    [{ "Fn::FindInMap": ["M", "a", "x"] }, "found"],
    [{ "Fn::Select": [1, { "Fn::FindInMap": ["M", "a", "list"] }] }, "l1"],
    [{ "Fn::Sub": "n-${SerialNumber}-${!Literal}" }, "n-A-1-b-${Literal}"],
    [{ "Fn::Sub": ["${x}/${SerialNumber}", { x: { "Fn::Select": [0, ["y"]] } }] }, "y/A-1-b"],
  ])("%j", (value, expected) => {
    expect(planName(value, mappings)).toBe(expected);
  });

  test.each<[unknown]>([
    [{ Ref: "Absent" }],
    [{ "Fn::Select": [5, ["a"]] }],
    [{ "Fn::FindInMap": ["M", "a", "absent"] }],
    [{ "Fn::FindInMap": ["M", "constructor", "name"] }],
    [{ "Fn::Sub": "${Absent}" }],
    [["a", "list"]],
    [{ "Fn::Join": ["", { Ref: "SerialNumber" }] }],
  ])("refuses %j when it is run", (value) => {
    expect(planName(value, mappings)).toMatchObject({ kind: "refused", path: "Resources.thing.Properties.ThingName" });
  });

  test.each<[unknown]>([
    [{ "Fn::GetAtt": ["a", "b"] }],
    [{ Ref: 1 }],
    [{ Ref: "a", more: 1 }],
    [{ "Fn::Join": "a" }],
    [{ "Fn::Select": ["x", ["a"]] }],
    [{ "Fn::Split": ["", "a"] }],
    [null],
  ])("refuses %j when it is read", (value) => {
    expect(planName(value)).toMatchObject({ kind: "malformed" });
  });
});

test("[AW 13] a parameter without a value takes its default; without a default it is refused", () => {
  const declared = { Parameters: { A: { Type: "String", Default: "d" }, B: { Type: "String" } } };
  expect(planName({ "Fn::Sub": "${A}${B}" }, declared, { ...parameters, B: "b" })).toBe("db");
  expect(planName({ Ref: "A" }, declared)).toMatchObject({ kind: "refused", path: "Parameters.B" });
});

describe("[AW 13] malformed templates", () => {
  const thing = (properties: object, more: object = {}) => ({
    Resources: { certificate, thing: { Type: "AWS::IoT::Thing", Properties: properties, ...more } },
  });
  const cert = (properties: object, more: object = {}) => ({
    Resources: { certificate: { Type: "AWS::IoT::Certificate", Properties: properties, ...more } },
  });
  test.each<[string, unknown, string]>([
    ["a list", [], ""],
    ["no resources", {}, "Resources"],
    ["no certificate", { Resources: {} }, "Resources"],
    ["unknown member", { Resources: { certificate }, Outputs: {} }, "Outputs"],
    ["unknown type", { Resources: { certificate, x: { Type: "AWS::S3::Bucket", Properties: {} } } }, "Resources.x.Type"],
    ["a type of the prototype", { Resources: { certificate, x: { Type: "constructor", Properties: {} } } }, "Resources.x.Type"],
    ["two certificates", { Resources: { certificate, x: certificate } }, "Resources.x"],
    ["thing without a name", thing({}), "Resources.thing.Properties.ThingName"],
    ["unknown property", thing({ ThingName: "a", Color: "b" }), "Resources.thing.Properties.Color"],
    [
      "unknown override",
      thing({ ThingName: "a" }, { OverrideSettings: { AttributePayload: "KEEP" } }),
      "Resources.thing.OverrideSettings.AttributePayload",
    ],
    ["override of nothing", thing({ ThingName: "a" }, { OverrideSettings: { Color: "FAIL" } }), "Resources.thing.OverrideSettings.Color"],
    [
      "MERGE of a type",
      thing({ ThingName: "a" }, { OverrideSettings: { ThingTypeName: "MERGE" } }),
      "Resources.thing.OverrideSettings.ThingTypeName",
    ],
    ["certificate of two sources", cert({ CertificateId: "a", CertificatePem: "b" }), "Resources.certificate.Properties"],
    ["CA without a certificate", cert({ CertificateId: "a", CACertificatePem: "b" }), "Resources.certificate.Properties.CACertificatePem"],
    [
      "policy of two kinds",
      { Resources: { certificate, p: { Type: "AWS::IoT::Policy", Properties: { PolicyName: "a", PolicyDocument: "b" } } } },
      "Resources.p.Properties",
    ],
    ["parameter of another type", { Parameters: { a: { Type: "Number" } }, Resources: { certificate } }, "Parameters.a.Type"],
  ])("%s", (_title, body, path) => {
    expect(readTemplate(JSON.stringify(body))).toMatchObject({ kind: "malformed", path });
  });

  test("text that is too long, no JSON, or nested without end", () => {
    expect(readTemplate("x".repeat(10_241))).toMatchObject({ kind: "malformed", received: "10241 characters" });
    expect(readTemplate("{")).toMatchObject({ kind: "malformed", path: "" });
    expect(readTemplate("[".repeat(5_000))).toMatchObject({ kind: "malformed", path: "" });
  });

  test("any JSON is answered", () => {
    const words = [
      "Resources",
      "Type",
      "AWS::IoT::Certificate",
      "Properties",
      "CertificateId",
      "Ref",
      "Fn::Join",
      "Fn::Sub",
      "${a}",
      "__proto__",
    ];
    const node = fc.letrec((tie) => ({
      node: fc.oneof(
        fc.constantFrom<unknown>(...words, null, 1),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...words), tie("node"), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(node, node, (name, properties) => {
        for (const body of [
          name,
          { Resources: { certificate, thing: { Type: "AWS::IoT::Thing", Properties: { ThingName: name, AttributePayload: properties } } } },
        ]) {
          const reading = readTemplate(JSON.stringify(body));
          if (reading.kind === "template") planProvisioning(reading.template, parameters);
        }
      }),
    );
  });
});

test("[AW 3.4] what a certificate tells a template", () => {
  expect(certificateParameters("ab", readCertificateNames(names.pem))).toEqual({
    "AWS::IoT::Certificate::Id": "ab",
    "AWS::IoT::Certificate::Country": "US",
    "AWS::IoT::Certificate::Organization": "IoT Devices",
    "AWS::IoT::Certificate::OrganizationalUnit": "LightBulb",
    "AWS::IoT::Certificate::DistinguishedNameQualifier": "Bulb001",
    "AWS::IoT::Certificate::StateName": "NY",
    "AWS::IoT::Certificate::CommonName": "Lämpchen",
    "AWS::IoT::Certificate::SerialNumber": "123",
  });
  expect(certificateParameters("ab", undefined)).toEqual({ "AWS::IoT::Certificate::Id": "ab" });
});
