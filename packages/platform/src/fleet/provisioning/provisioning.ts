/** Devices that get their certificate, thing and policies by a template: by claim, by their own CA, or through the API (AW 13, 3.4). */
import {
  type AwsAccount,
  certificateParameters,
  type PlannedCertificate,
  type ProvisioningTemplate,
  planProvisioning,
  readCertificateNames,
} from "@thingstead/dialects";
import type { Clock, Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { createTurns } from "../context.ts";
import type { CertificateAuthority, Fleet, FleetCertificate } from "../fleet.ts";
import { applyPlan, type Provisioned } from "./apply-plan.ts";
import { type Claims, createClaims } from "./claims.ts";
import { askHook, type HookCaller } from "./hook.ts";
import { defaultProvisioningLimits, type ProvisioningLimits } from "./limits.ts";
import { createOwnership } from "./ownership.ts";
import { checkBody, createTemplateBook, defaultBody, type ProvisioningTemplates, type TemplateRecord } from "./template-book.ts";

interface ProvisioningPorts {
  fleet: Fleet;
  account: AwsAccount;
  hook: HookCaller;
  clock: Clock;
  random: Random;
  limits?: Partial<ProvisioningLimits>;
  /** Of what no caller can be told: a certificate that could not be removed in time, a step that could not be taken back. */
  onFailure(error: unknown): void;
}

interface OwnedCertificate {
  certificate: FleetCertificate;
  /** Proves that a device may provision with the certificate; good for `ownershipSeconds` and one success. */
  ownershipToken: string;
}

export interface ProvisionRequest {
  ownershipToken: string;
  parameters: Readonly<Record<string, string>>;
  /** Who asks, for the hook. */
  claimCertificateId?: string;
  clientId?: string;
}

export interface Provisioning {
  readonly templates: ProvisioningTemplates;
  readonly limits: ProvisioningLimits;
  /** PENDING_ACTIVATION; removed when no device provisions with it in time. Throws `provisioning.certificates_exceeded`. */
  createCertificate(): Promise<OwnedCertificate & { privateKeyPem: string }>;
  createCertificateFromRequest(csrPem: string): Promise<OwnedCertificate>;
  /** By claim. Throws `provisioning.token_invalid`, `provisioning.parameters_invalid`, `provisioning.hook_refused`, … */
  provision(templateName: string, request: ProvisionRequest): Promise<Provisioned>;
  /** With a template of the caller's. */
  registerThing(templateBody: string, parameters: Readonly<Record<string, string>>): Promise<Provisioned>;
  createClaim: Claims["create"];
  /**
   * The first connection of a leaf (PEM) whose CA has a registration configuration: registers the leaf and runs the template. When it
   * fails the leaf is unknown as before, and the device may try again.
   */
  runJustInTime(authority: CertificateAuthority, leafPem: string): Promise<Provisioned>;
  /** After the fleet's. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const certificatePrefix = "AWS::IoT::Certificate::";

/**
 * @example
 * const provisioning = createProvisioning({ fleet, account, hook, clock, random, onFailure });
 * await provisioning.start();
 */
export function createProvisioning(ports: ProvisioningPorts): Provisioning {
  const { fleet, account, hook, clock, random, onFailure } = ports;
  const limits: ProvisioningLimits = { ...defaultProvisioningLimits, ...ports.limits };
  const templates = createTemplateBook({ records: fleet.records, clock, limits });
  const ownership = createOwnership({ fleet, clock, random, limits, onFailure });
  const claims = createClaims({ fleet, account, clock, templates, limits, onFailure });
  /** One at a time: what one has found of a thing no other changes meanwhile. */
  const inTurn = createTurns();
  const justInTime = new Map<string, Promise<Provisioned>>();

  function run(template: ProvisioningTemplate, parameters: Readonly<Record<string, string>>, source?: PlannedCertificate["source"]) {
    const outcome = planProvisioning(template, parameters);
    if (outcome.kind === "refused") {
      const { path, received, expected } = outcome;
      throw new PlatformError("provisioning.parameters_invalid", { path, received, expected });
    }
    const { certificate } = outcome.plan;
    // Who speaks for one certificate must not provision another.
    const plan = source === undefined ? outcome.plan : { ...outcome.plan, certificate: { ...certificate, source } };
    return inTurn(() => applyPlan(plan, { fleet, account, onFailure }));
  }

  async function needTemplate(name: string, type: TemplateRecord["type"]): Promise<TemplateRecord> {
    const template = await templates.get(name);
    if (template.type !== type) throw new PlatformError("provisioning.template_type", { name, received: template.type, expected: type });
    if (!template.isEnabled) throw new PlatformError("provisioning.template_disabled", { name });
    return template;
  }

  async function provision(templateName: string, request: ProvisionRequest): Promise<Provisioned> {
    checkParameters(request.parameters, limits);
    const template = await needTemplate(templateName, "FLEET_PROVISIONING");
    const certificate = await ownership.check(request.ownershipToken);
    const overrides = await askHook(template, certificate, request, { account, hook, limits });
    const names = readCertificateNames(certificate.pem);
    // What stands in the certificate is told by the certificate alone.
    const given = Object.entries({ ...request.parameters, ...overrides }).filter(([name]) => !name.startsWith(certificatePrefix));
    const parameters = { ...Object.fromEntries(given), ...certificateParameters(certificate.id, names) };
    const provisioned = await run(checkBody(defaultBody(template), limits), parameters, { kind: "id", id: certificate.id });
    await ownership.release(certificate.id);
    return provisioned;
  }

  async function registerLeaf(authority: CertificateAuthority, leafPem: string): Promise<Provisioned> {
    const { templateName, templateBody } = authority.registration ?? {};
    const body = templateName === undefined ? templateBody : defaultBody(await needTemplate(templateName, "JITP"));
    if (body === undefined)
      throw new PlatformError("provisioning.template_not_found", { name: templateName ?? `of the CA ${authority.id}` });
    const template = checkBody(body, limits);
    const certificate = await fleet.certificates.register(leafPem, { status: "PENDING_ACTIVATION", isCaRequired: true });
    try {
      const parameters = certificateParameters(certificate.id, readCertificateNames(certificate.pem));
      return await run(template, parameters, { kind: "id", id: certificate.id });
    } catch (error) {
      await fleet.certificates.delete(certificate.id, true).catch(onFailure);
      throw error;
    }
  }

  return {
    templates,
    limits,
    async createCertificate() {
      ownership.checkRoom();
      const { certificate, privateKeyPem } = await fleet.certificates.createWithKeys("PENDING_ACTIVATION");
      return { certificate, privateKeyPem, ownershipToken: await ownership.hold(certificate.id) };
    },
    async createCertificateFromRequest(csrPem) {
      ownership.checkRoom();
      const certificate = await fleet.certificates.createFromRequest(csrPem, "PENDING_ACTIVATION");
      return { certificate, ownershipToken: await ownership.hold(certificate.id) };
    },
    provision,
    async registerThing(templateBody, parameters) {
      checkParameters(parameters, limits);
      return run(checkBody(templateBody, limits), parameters);
    },
    createClaim: claims.create,
    runJustInTime(authority, leafPem) {
      // A device that connects again before its certificate is ready meets the same run.
      const running = justInTime.get(leafPem);
      if (running !== undefined) return running;
      const started = registerLeaf(authority, leafPem).finally(() => justInTime.delete(leafPem));
      justInTime.set(leafPem, started);
      return started;
    },
    async start() {
      await ownership.start();
      await claims.start();
    },
    async close() {
      await ownership.close();
      await claims.close();
    },
  };
}

function checkParameters(
  parameters: Readonly<Record<string, string>>,
  { parametersMax, parameterCharactersMax }: ProvisioningLimits,
): void {
  const entries = Object.entries(parameters);
  if (entries.length > parametersMax) {
    throw new PlatformError("provisioning.parameters_invalid", {
      path: "parameters",
      received: `${entries.length} parameters`,
      expected: `at most ${parametersMax}`,
    });
  }
  for (const [name, value] of entries) {
    if (value.length <= parameterCharactersMax) continue;
    throw new PlatformError("provisioning.parameters_invalid", {
      path: `parameters.${name}`.slice(0, 100),
      received: `${value.length} characters`,
      expected: `at most ${parameterCharactersMax}`,
    });
  }
}
