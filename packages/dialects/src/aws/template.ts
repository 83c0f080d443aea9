/** Provisioning templates (AWS reference, fleet provisioning and templates): text to checked template. */
import { isNestedTooDeep } from "../alibaba/message-json.ts";
import { TemplateFault } from "./template-fault.ts";
import { checkTemplateValue, isTemplateObject, type TemplateValue } from "./template-values.ts";

const templateOverrides = ["DO_NOTHING", "REPLACE", "FAIL", "MERGE"] as const;
/** What becomes of something that exists already and is otherwise. `MERGE`: attributes and groups only. */
export type TemplateOverride = (typeof templateOverrides)[number];

export interface TemplateThing {
  readonly kind: "thing";
  readonly logicalName: string;
  readonly name: TemplateValue;
  readonly typeName?: TemplateValue;
  readonly attributes?: TemplateValue;
  readonly groups?: TemplateValue;
  readonly billingGroupName?: TemplateValue;
  readonly overrides: { readonly attributes: TemplateOverride; readonly typeName: TemplateOverride; readonly groups: TemplateOverride };
}

export interface TemplateCertificate {
  readonly kind: "certificate";
  readonly logicalName: string;
  readonly id?: TemplateValue;
  readonly signingRequest?: TemplateValue;
  readonly pem?: TemplateValue;
  readonly caPem?: TemplateValue;
  readonly status?: TemplateValue;
  readonly override: TemplateOverride;
}

interface TemplatePolicy {
  readonly kind: "policy";
  readonly logicalName: string;
  readonly name?: TemplateValue;
  readonly document?: TemplateValue;
}

type TemplateResource = TemplateThing | TemplateCertificate | TemplatePolicy;

export interface ProvisioningTemplate {
  /** Names with their defaults. */
  readonly parameters: ReadonlyMap<string, { readonly default?: string }>;
  readonly mappings: Readonly<Record<string, unknown>>;
  readonly resources: readonly TemplateResource[];
  readonly deviceConfiguration: Readonly<Record<string, TemplateValue>>;
}

export type TemplateReading =
  | { readonly kind: "template"; readonly template: ProvisioningTemplate }
  /** `path` as `Resources.thing.Properties.ThingName`. */
  | { readonly kind: "malformed"; readonly path: string; readonly received: string; readonly expected: string };

export interface TemplateLimits {
  bodyCharactersMax: number;
}

export const defaultTemplateLimits: TemplateLimits = { bodyCharactersMax: 10_240 };

/** Reads and checks a template's body. Never throws. */
export function readTemplate(body: string, { bodyCharactersMax }: TemplateLimits = defaultTemplateLimits): TemplateReading {
  try {
    if (body.length > bodyCharactersMax) {
      throw new TemplateFault("", `${body.length} characters`, `at most ${bodyCharactersMax} characters`);
    }
    return { kind: "template", template: readBody(parse(body)) };
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    return { kind: "malformed", path: error.path, received: error.received, expected: error.expected };
  }
}

function parse(body: string): unknown {
  if (isNestedTooDeep(body)) throw new TemplateFault("", body, "a JSON object that is not nested so deeply");
  try {
    return JSON.parse(body);
  } catch {
    throw new TemplateFault("", body, "a JSON object");
  }
}

function readBody(value: unknown): ProvisioningTemplate {
  const members = readMembers(value, "", ["Parameters", "Mappings", "Resources", "DeviceConfiguration", "Description", "Version"]);
  const resources = Object.entries(readMembers(members.Resources, "Resources")).map(([name, resource]) => readResource(name, resource));
  for (const kind of ["thing", "certificate"] as const) {
    const [, second] = resources.filter((resource) => resource.kind === kind);
    if (second !== undefined) throw new TemplateFault(`Resources.${second.logicalName}`, `a second ${kind}`, `one ${kind}`);
  }
  if (!resources.some(({ kind }) => kind === "certificate")) throw new TemplateFault("Resources", "no certificate", "a certificate");
  const mappings = members.Mappings === undefined ? {} : readMembers(members.Mappings, "Mappings");
  return {
    parameters: readParameters(members.Parameters),
    mappings,
    resources,
    deviceConfiguration: readConfiguration(members.DeviceConfiguration),
  };
}

type Members = Readonly<Record<string, unknown>>;

function readMembers(value: unknown, path: string, allowed?: readonly string[]): Members {
  if (!isTemplateObject(value)) throw new TemplateFault(path, value, "an object");
  for (const name of Object.keys(value)) {
    if (allowed !== undefined && !allowed.includes(name)) {
      throw new TemplateFault(path === "" ? name : `${path}.${name}`, name, `one of ${allowed.join(", ")}`);
    }
  }
  return value;
}

function readParameters(value: unknown): ProvisioningTemplate["parameters"] {
  const parameters = new Map<string, { default?: string }>();
  if (value === undefined) return parameters;
  for (const [name, declared] of Object.entries(readMembers(value, "Parameters"))) {
    const path = `Parameters.${name}`;
    const { Type: type, Default: preset } = readMembers(declared, path, ["Type", "Default", "Description"]);
    if (type !== "String") throw new TemplateFault(`${path}.Type`, type, '"String"');
    if (preset !== undefined && typeof preset !== "string") throw new TemplateFault(`${path}.Default`, preset, "a string");
    parameters.set(name, preset === undefined ? {} : { default: preset });
  }
  return parameters;
}

function readConfiguration(value: unknown): ProvisioningTemplate["deviceConfiguration"] {
  if (value === undefined) return {};
  const entries = Object.entries(readMembers(value, "DeviceConfiguration"));
  return Object.fromEntries(entries.map(([name, item]) => [name, checkTemplateValue(item, `DeviceConfiguration.${name}`)]));
}

const resourceReaders: Readonly<
  Record<string, (logicalName: string, properties: Members, overrides: unknown, path: string) => TemplateResource>
> = {
  "AWS::IoT::Thing": readThing,
  "AWS::IoT::Certificate": readCertificate,
  "AWS::IoT::Policy": readPolicyResource,
};

function readResource(logicalName: string, value: unknown): TemplateResource {
  const path = `Resources.${logicalName}`;
  const {
    Type: type,
    Properties: properties,
    OverrideSettings: overrides,
  } = readMembers(value, path, ["Type", "Properties", "OverrideSettings"]);
  const reader = typeof type === "string" && Object.hasOwn(resourceReaders, type) ? resourceReaders[type] : undefined;
  if (reader === undefined) throw new TemplateFault(`${path}.Type`, type, `one of ${Object.keys(resourceReaders).join(", ")}`);
  return reader(logicalName, readMembers(properties, `${path}.Properties`), overrides, path);
}

/** Named properties as values; what is not among them is refused. */
function readProperties<Name extends string>(properties: Members, path: string, names: Readonly<Record<Name, string>>) {
  readMembers(properties, path, Object.values(names));
  const found: Partial<Record<Name, TemplateValue>> = {};
  for (const [name, property] of Object.entries(names) as [Name, string][]) {
    if (properties[property] !== undefined) found[name] = checkTemplateValue(properties[property], `${path}.${property}`);
  }
  return found;
}

function readThing(logicalName: string, properties: Members, overrides: unknown, path: string): TemplateThing {
  const found = readProperties(properties, `${path}.Properties`, {
    name: "ThingName",
    typeName: "ThingTypeName",
    attributes: "AttributePayload",
    groups: "ThingGroups",
    billingGroupName: "BillingGroup",
  });
  const { name } = found;
  if (name === undefined) throw new TemplateFault(`${path}.Properties.ThingName`, name, "the thing's name");
  const of = (member: string, allowed: readonly TemplateOverride[]) => readOverride(overrides, path, member, "DO_NOTHING", allowed);
  checkOverrides(overrides, path, ["AttributePayload", "ThingTypeName", "ThingGroups"]);
  return {
    kind: "thing",
    logicalName,
    ...found,
    name,
    overrides: {
      attributes: of("AttributePayload", templateOverrides),
      typeName: of("ThingTypeName", ["DO_NOTHING", "REPLACE", "FAIL"]),
      groups: of("ThingGroups", templateOverrides),
    },
  };
}

function readCertificate(logicalName: string, properties: Members, overrides: unknown, path: string): TemplateCertificate {
  const found = readProperties(properties, `${path}.Properties`, {
    id: "CertificateId",
    signingRequest: "CertificateSigningRequest",
    pem: "CertificatePem",
    caPem: "CACertificatePem",
    status: "Status",
  });
  const sources = [found.id, found.signingRequest, found.pem].filter((source) => source !== undefined);
  if (sources.length !== 1) {
    throw new TemplateFault(
      `${path}.Properties`,
      `${sources.length} of them`,
      "one of CertificateId, CertificateSigningRequest, CertificatePem",
    );
  }
  if (found.caPem !== undefined && found.pem === undefined) {
    throw new TemplateFault(`${path}.Properties.CACertificatePem`, "no CertificatePem", "CertificatePem beside it");
  }
  checkOverrides(overrides, path, ["Status"]);
  return {
    kind: "certificate",
    logicalName,
    ...found,
    override: readOverride(overrides, path, "Status", "REPLACE", ["DO_NOTHING", "REPLACE", "FAIL"]),
  };
}

function readPolicyResource(logicalName: string, properties: Members, overrides: unknown, path: string): TemplatePolicy {
  checkOverrides(overrides, path, []);
  const found = readProperties(properties, `${path}.Properties`, { name: "PolicyName", document: "PolicyDocument" });
  if ((found.name === undefined) === (found.document === undefined)) {
    throw new TemplateFault(`${path}.Properties`, found.name === undefined ? "neither" : "both", "either PolicyName or PolicyDocument");
  }
  return { kind: "policy", logicalName, ...found };
}

/** `AttributePayload` and `ATTRIBUTE_PAYLOAD` are the same setting. */
function settingKey(name: string): string {
  return name.replaceAll("_", "").toUpperCase();
}

function checkOverrides(overrides: unknown, path: string, allowed: readonly string[]): void {
  if (overrides === undefined) return;
  const place = `${path}.OverrideSettings`;
  for (const name of Object.keys(readMembers(overrides, place))) {
    if (!allowed.some((known) => settingKey(known) === settingKey(name))) {
      throw new TemplateFault(`${place}.${name}`, name, allowed.length === 0 ? "none" : `one of ${allowed.join(", ")}`);
    }
  }
}

function readOverride(
  overrides: unknown,
  path: string,
  member: string,
  preset: TemplateOverride,
  allowed: readonly TemplateOverride[],
): TemplateOverride {
  if (!isTemplateObject(overrides)) return preset;
  const value = Object.entries(overrides).find(([name]) => settingKey(name) === settingKey(member))?.[1];
  if (value === undefined) return preset;
  const found = allowed.find((override) => override === value);
  if (found === undefined) throw new TemplateFault(`${path}.OverrideSettings.${member}`, value, `one of ${allowed.join(", ")}`);
  return found;
}
