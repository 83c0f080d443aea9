/** From a template and its parameters to what shall be: pure, nothing is looked up. */
import type { CertificateNames, NameAttribute } from "./certificate-names.ts";
import type { ProvisioningTemplate, TemplateCertificate, TemplateOverride, TemplateThing } from "./template.ts";
import { TemplateFault } from "./template-fault.ts";
import {
  evaluateText,
  evaluateTextMap,
  evaluateTexts,
  isTemplateObject,
  type TemplateScope,
  type TemplateValue,
} from "./template-values.ts";

export interface PlannedThing {
  readonly logicalName: string;
  readonly name: string;
  readonly typeName?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly groups?: readonly string[];
  readonly billingGroupName?: string;
  readonly overrides: TemplateThing["overrides"];
}

export interface PlannedCertificate {
  readonly logicalName: string;
  readonly source:
    | { readonly kind: "id"; readonly id: string }
    | { readonly kind: "signing-request"; readonly pem: string }
    | { readonly kind: "pem"; readonly pem: string; readonly caPem?: string };
  readonly status: "ACTIVE" | "INACTIVE";
  readonly override: TemplateOverride;
}

type PlannedPolicy = { readonly logicalName: string } & ({ readonly name: string } | { readonly document: string });

export interface ProvisioningPlan {
  readonly thing?: PlannedThing;
  readonly certificate: PlannedCertificate;
  readonly policies: readonly PlannedPolicy[];
  readonly deviceConfiguration: Readonly<Record<string, string>>;
}

export type PlanOutcome =
  | { readonly kind: "plan"; readonly plan: ProvisioningPlan }
  | { readonly kind: "refused"; readonly path: string; readonly received: string; readonly expected: string };

/** Parameters that are missing take their defaults; those that the template does not know are ignored. Never throws. */
export function planProvisioning(template: ProvisioningTemplate, parameters: Readonly<Record<string, string>>): PlanOutcome {
  try {
    return { kind: "plan", plan: plan(template, parameters) };
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    return { kind: "refused", path: error.path, received: error.received, expected: error.expected };
  }
}

function plan(template: ProvisioningTemplate, given: Readonly<Record<string, string>>): ProvisioningPlan {
  const values = new Map(Object.entries(given));
  for (const [name, declared] of template.parameters) {
    if (values.has(name)) continue;
    if (declared.default === undefined) throw new TemplateFault(`Parameters.${name}`, "nothing", "a value: it has no default");
    values.set(name, declared.default);
  }
  const scope: TemplateScope = { parameters: values, mappings: template.mappings };
  const things = template.resources.filter((resource) => resource.kind === "thing");
  const certificates = template.resources.filter((resource) => resource.kind === "certificate");
  const [thing] = things;
  const [certificate] = certificates;
  if (certificate === undefined) throw new TemplateFault("Resources", "no certificate", "a certificate");
  return {
    ...(thing !== undefined && { thing: planThing(thing, scope) }),
    certificate: planCertificate(certificate, scope),
    policies: template.resources.flatMap((resource): PlannedPolicy[] => {
      if (resource.kind !== "policy") return [];
      const { logicalName, name, document } = resource;
      const path = `Resources.${logicalName}.Properties`;
      if (name !== undefined) return [{ logicalName, name: evaluateText(name, scope, `${path}.PolicyName`) }];
      return [{ logicalName, document: documentText(document ?? "", scope, `${path}.PolicyDocument`) }];
    }),
    deviceConfiguration: Object.fromEntries(
      Object.entries(template.deviceConfiguration).map(([name, value]) => [
        name,
        evaluateText(value, scope, `DeviceConfiguration.${name}`),
      ]),
    ),
  };
}

function planThing(thing: TemplateThing, scope: TemplateScope): PlannedThing {
  const { logicalName, overrides, typeName, attributes, groups, billingGroupName } = thing;
  const path = `Resources.${logicalName}.Properties`;
  return {
    logicalName,
    overrides,
    name: evaluateText(thing.name, scope, `${path}.ThingName`),
    ...(typeName !== undefined && { typeName: evaluateText(typeName, scope, `${path}.ThingTypeName`) }),
    ...(attributes !== undefined && { attributes: evaluateTextMap(attributes, scope, `${path}.AttributePayload`) }),
    ...(groups !== undefined && { groups: [...new Set(evaluateTexts(groups, scope, `${path}.ThingGroups`))] }),
    ...(billingGroupName !== undefined && { billingGroupName: evaluateText(billingGroupName, scope, `${path}.BillingGroup`) }),
  };
}

function planCertificate(certificate: TemplateCertificate, scope: TemplateScope): PlannedCertificate {
  const { logicalName, override } = certificate;
  const path = `Resources.${logicalName}.Properties`;
  const text = (value: TemplateValue, name: string) => evaluateText(value, scope, `${path}.${name}`);
  const status = certificate.status === undefined ? "ACTIVE" : text(certificate.status, "Status").toUpperCase();
  if (status !== "ACTIVE" && status !== "INACTIVE") throw new TemplateFault(`${path}.Status`, status, "ACTIVE or INACTIVE");
  return { logicalName, override, status, source: sourceOf(certificate, text) };
}

function sourceOf(
  { id, signingRequest, pem, caPem }: TemplateCertificate,
  text: (value: TemplateValue, name: string) => string,
): PlannedCertificate["source"] {
  if (id !== undefined) return { kind: "id", id: text(id, "CertificateId") };
  if (signingRequest !== undefined) return { kind: "signing-request", pem: text(signingRequest, "CertificateSigningRequest") };
  const ca = caPem === undefined ? undefined : text(caPem, "CACertificatePem");
  return { kind: "pem", pem: text(pem ?? "", "CertificatePem"), ...(ca !== undefined && { caPem: ca }) };
}

/** An escaped text, a function that gives one, or the document itself. */
function documentText(value: TemplateValue, scope: TemplateScope, path: string): string {
  const isDocument = isTemplateObject(value) && !Object.keys(value).some((name) => name === "Ref" || name.startsWith("Fn::"));
  return isDocument ? JSON.stringify(value) : evaluateText(value, scope, path);
}

const subjectParameters: readonly { parameter: string; attribute: NameAttribute }[] = [
  { parameter: "Country", attribute: "Country" },
  { parameter: "Organization", attribute: "Organization" },
  { parameter: "OrganizationalUnit", attribute: "OrganizationalUnit" },
  { parameter: "DistinguishedNameQualifier", attribute: "DistinguishedNameQualifier" },
  { parameter: "StateName", attribute: "State" },
  { parameter: "CommonName", attribute: "CommonName" },
  { parameter: "SerialNumber", attribute: "SerialNumber" },
];

/** `AWS::IoT::Certificate::…` as far as the certificate has them. (AWS reference 3.4) */
export function certificateParameters(certificateId: string, names: CertificateNames | undefined): Record<string, string> {
  const parameters: Record<string, string> = { "AWS::IoT::Certificate::Id": certificateId };
  for (const { parameter, attribute } of subjectParameters) {
    const value = names?.subject[attribute]?.[0];
    if (value !== undefined) parameters[`AWS::IoT::Certificate::${parameter}`] = value;
  }
  return parameters;
}
