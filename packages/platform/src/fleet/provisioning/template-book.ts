/** Provisioning templates with their versions, kept among the fleet's records. */
import { type ProvisioningTemplate, readTemplate } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { createTurns } from "../context.ts";
import type { CursorPage, CursorPaged, FleetRecords } from "../fleet.ts";
import type { ProvisioningLimits } from "./limits.ts";

export const templateTypes = ["FLEET_PROVISIONING", "JITP"] as const;
type TemplateType = (typeof templateTypes)[number];

interface ProvisioningHook {
  /** http or https. */
  targetArn: string;
  payloadVersion: string;
}

export interface TemplateVersion {
  id: number;
  body: string;
  /** Milliseconds since the epoch, here and below. */
  createdAt: number;
}

export interface TemplateRecord {
  name: string;
  description: string;
  isEnabled: boolean;
  /** Kept and answered; nothing here acts in a role. */
  roleArn: string;
  hook?: ProvisioningHook;
  type: TemplateType;
  defaultVersionId: number;
  /** Numbers are not used again. */
  lastVersionId: number;
  versions: readonly TemplateVersion[];
  createdAt: number;
  modifiedAt: number;
}

interface NewTemplate {
  name: string;
  body: string;
  roleArn: string;
  description?: string;
  isEnabled?: boolean;
  hook?: { targetArn: string; payloadVersion?: string };
  type?: TemplateType;
}

interface TemplateChange {
  description?: string;
  isEnabled?: boolean;
  roleArn?: string;
  defaultVersionId?: number;
  /** Null takes it away. */
  hook?: { targetArn: string; payloadVersion?: string } | null;
}

/** Throws `provisioning.template_not_found`, `provisioning.template_exists`, `provisioning.template_malformed`, `provisioning.member_invalid`, … */
export interface ProvisioningTemplates {
  create(template: NewTemplate): Promise<TemplateRecord>;
  get(name: string): Promise<TemplateRecord>;
  update(name: string, change: TemplateChange): Promise<TemplateRecord>;
  delete(name: string): Promise<void>;
  list(page: CursorPage): Promise<CursorPaged<TemplateRecord>>;
  createVersion(name: string, body: string, isDefault: boolean): Promise<{ template: TemplateRecord; version: TemplateVersion }>;
  getVersion(name: string, versionId: number): Promise<{ template: TemplateRecord; version: TemplateVersion }>;
  deleteVersion(name: string, versionId: number): Promise<void>;
}

export interface TemplateBookPorts {
  records: FleetRecords;
  clock: Pick<Clock, "now">;
  limits: ProvisioningLimits;
}

const family = "provisioning-templates";
const namePattern = /^[0-9A-Za-z_-]{1,36}$/;
const descriptionCharactersMax = 500;
const roleCharactersMax = 2048;

export function createTemplateBook({ records, clock, limits }: TemplateBookPorts): ProvisioningTemplates {
  const inTurn = createTurns();

  async function get(name: string): Promise<TemplateRecord> {
    const record = namePattern.test(name) ? await records.find(family, name) : undefined;
    if (record === undefined) throw new PlatformError("provisioning.template_not_found", { name });
    // Written by this file only.
    return record as TemplateRecord;
  }

  /** One change at a time: a template is read, changed and written as a whole. */
  function change(name: string, make: (before: TemplateRecord) => Partial<TemplateRecord>): Promise<TemplateRecord> {
    return inTurn(async () => {
      const before = await get(name);
      const after: TemplateRecord = { ...before, ...make(before), modifiedAt: clock.now() };
      await records.put(family, name, after);
      return after;
    });
  }

  return {
    get,
    async create({ name, body, roleArn, description = "", isEnabled = false, hook, type = "FLEET_PROVISIONING" }) {
      if (!namePattern.test(name)) refuse("templateName", name, "1 to 36 letters, digits, - or _");
      checkBody(body, limits);
      const now = clock.now();
      const record: TemplateRecord = {
        name,
        description: checkText("description", description, descriptionCharactersMax),
        isEnabled,
        roleArn: checkText("provisioningRoleArn", roleArn, roleCharactersMax),
        ...(hook !== undefined && { hook: checkHook(hook) }),
        type,
        defaultVersionId: 1,
        lastVersionId: 1,
        versions: [{ id: 1, body, createdAt: now }],
        createdAt: now,
        modifiedAt: now,
      };
      const isNew = await inTurn(() => records.insert(family, name, record));
      if (!isNew) throw new PlatformError("provisioning.template_exists", { name, resourceId: name });
      return record;
    },
    update(name, { description, isEnabled, roleArn, defaultVersionId, hook }) {
      const checked = hook === undefined || hook === null ? undefined : checkHook(hook);
      return change(name, (before) => {
        if (defaultVersionId !== undefined) needVersion(before, defaultVersionId);
        const { hook: kept, ...rest } = before;
        const after = hook === undefined ? kept : checked;
        return {
          ...rest,
          // The record is written over the one before: an absent hook must be told.
          hook: after,
          ...(description !== undefined && { description: checkText("description", description, descriptionCharactersMax) }),
          ...(isEnabled !== undefined && { isEnabled }),
          ...(roleArn !== undefined && { roleArn: checkText("provisioningRoleArn", roleArn, roleCharactersMax) }),
          ...(defaultVersionId !== undefined && { defaultVersionId }),
        } as Partial<TemplateRecord>;
      });
    },
    async delete(name) {
      await inTurn(async () => {
        await get(name);
        await records.remove(family, name);
      });
    },
    async list(page) {
      const { items, ...rest } = await records.list(family, page);
      return { items: items.map(({ value }) => value as TemplateRecord), ...rest };
    },
    async createVersion(name, body, isDefault) {
      checkBody(body, limits);
      const template = await change(name, ({ versions, lastVersionId, defaultVersionId }) => {
        const { templateVersionsMax: expected } = limits;
        if (versions.length >= expected) throw new PlatformError("provisioning.versions_exceeded", { name, expected });
        const id = lastVersionId + 1;
        return {
          versions: [...versions, { id, body, createdAt: clock.now() }],
          lastVersionId: id,
          defaultVersionId: isDefault ? id : defaultVersionId,
        };
      });
      return { template, version: needVersion(template, template.lastVersionId) };
    },
    async getVersion(name, versionId) {
      const template = await get(name);
      return { template, version: needVersion(template, versionId) };
    },
    async deleteVersion(name, versionId) {
      await change(name, (before) => {
        needVersion(before, versionId);
        if (before.defaultVersionId === versionId) throw new PlatformError("provisioning.version_default", { name, versionId });
        return { versions: before.versions.filter(({ id }) => id !== versionId) };
      });
    },
  };
}

function needVersion({ name, versions }: TemplateRecord, versionId: number): TemplateVersion {
  const version = versions.find(({ id }) => id === versionId);
  if (version === undefined) throw new PlatformError("provisioning.version_not_found", { name, versionId });
  return version;
}

/** The body that provisions now. */
export function defaultBody(template: TemplateRecord): string {
  return needVersion(template, template.defaultVersionId).body;
}

/** Throws `provisioning.template_malformed`. */
export function checkBody(body: string, { templateBodyCharactersMax }: ProvisioningLimits): ProvisioningTemplate {
  const reading = readTemplate(body, { bodyCharactersMax: templateBodyCharactersMax });
  if (reading.kind === "template") return reading.template;
  const { path, received, expected } = reading;
  throw new PlatformError("provisioning.template_malformed", { path: path === "" ? "templateBody" : path, received, expected });
}

function refuse(member: string, received: string, expected: string): never {
  throw new PlatformError("provisioning.member_invalid", { member, received: received.slice(0, 100), expected });
}

function checkText(member: string, text: string, charactersMax: number): string {
  const isClean = text.length <= charactersMax && !/\p{Cc}/u.test(text);
  return isClean ? text : refuse(member, text, `at most ${charactersMax} printable characters`);
}

const hookCharactersMax = 2048;
const hookVersion = "2020-04-01";

function checkHook({ targetArn, payloadVersion = hookVersion }: { targetArn: string; payloadVersion?: string }): ProvisioningHook {
  const isUrl = targetArn.length <= hookCharactersMax && /^https?:\/\//i.test(targetArn) && URL.canParse(targetArn);
  if (!isUrl)
    throw new PlatformError("provisioning.hook_unsupported", { received: targetArn.slice(0, 200), expected: "an http or https URL" });
  if (payloadVersion !== hookVersion) refuse("preProvisioningHook.payloadVersion", payloadVersion, hookVersion);
  return { targetArn, payloadVersion };
}
