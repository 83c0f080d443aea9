/** Templates of jobs: members of `CreateJob` kept under a name (aws-iot.md, 16). */
import { arnOf, resourceOf } from "@thingstead/dialects";
import { PlatformError } from "../../../errors/index.ts";
import { MemberReader, type Members, refuseMember } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";
import { readDocument, readSettings, settingMembers } from "./job-members.ts";
import type { JobParts } from "./jobs.ts";
import { answerPage, readPage } from "./paging.ts";
import { forgetTags, readTags, setTags } from "./tags.ts";

interface StoredTemplate {
  description: string;
  createdAt: number;
  /** As given, `document` among them. */
  members: Members;
}

export interface JobTemplates {
  get(name: string): Promise<StoredTemplate>;
  /** For a job made of it. */
  membersOf(arn: string): Promise<Members>;
}

const family = "job-templates";
const head = "jobtemplate/";
const namePattern = /^[a-zA-Z0-9_-]{1,64}$/;
const shownCharactersMax = 100;
/** What a job takes over. */
const memberNames = [
  "document",
  "presignedUrlConfig",
  "jobExecutionsRolloutConfig",
  "abortConfig",
  "timeoutConfig",
  "jobExecutionsRetryConfig",
  "destinationPackageVersions",
];

export function createJobTemplates({ account, fleet }: JobParts): JobTemplates {
  async function get(name: string): Promise<StoredTemplate> {
    const template = await fleet.records.find(family, name);
    if (template === undefined) throw new PlatformError("fleet_jobs.template_not_found", { name: name.slice(0, shownCharactersMax) });
    // Written below and nowhere else.
    return template as StoredTemplate;
  }
  return {
    get,
    async membersOf(arn) {
      const resource = resourceOf(account, arn);
      const name = resource?.startsWith(head) === true ? resource.slice(head.length) : undefined;
      if (name === undefined) return refuseMember("jobTemplateArn", arn, `an ARN like ${arnOf(account, `${head}…`)}`);
      const { members, description } = await get(name);
      return { description, ...members };
    },
  };
}

export function createJobTemplateOperations(ports: JobParts, templates: JobTemplates): AwsOperation[] {
  const { account, fleet, fleetJobs, clock } = ports;
  const templateArn = (name: string) => arnOf(account, `${head}${name}`);

  /** A template of a job has what the job has, unless it says otherwise. */
  async function membersOfJob(arn: string): Promise<Members> {
    const resource = resourceOf(account, arn);
    if (resource?.startsWith("job/") !== true) return refuseMember("jobArn", arn, `an ARN like ${arnOf(account, "job/…")}`);
    const job = await fleetJobs.get(resource.slice("job/".length));
    return { document: job.document, ...settingMembers(job) };
  }

  return [
    iotOperation("CreateJobTemplate", async (request) => {
      const name = label(request, "jobTemplateId");
      if (!namePattern.test(name)) refuseMember("jobTemplateId", name, "1 to 64 characters of a-z, A-Z, 0-9, _ and -");
      const given = request.json();
      const jobArn = new MemberReader(given).text("jobArn");
      const body = jobArn === undefined ? given : { ...(await membersOfJob(jobArn)), ...given };
      const members = new MemberReader(body);
      const description = members.requiredText("description");
      if ((members.objectList("maintenanceWindows") ?? []).length > 0) members.refuse("maintenanceWindows", "none: they are not supported");
      const document = readDocument(members) ?? members.refuse("document", "the text of a JSON document");
      const tags = readTags(members);
      fleetJobs.check({ ...readSettings(members), document });
      const kept = Object.fromEntries(memberNames.flatMap((each) => (body[each] === undefined ? [] : [[each, body[each]]])));
      const template: StoredTemplate = { description, createdAt: clock.now(), members: kept };
      if (!(await fleet.records.insert(family, name, template))) throw new PlatformError("fleet_jobs.template_exists", { name });
      await setTags(ports, templateArn(name), tags);
      return { json: { jobTemplateArn: templateArn(name), jobTemplateId: name } };
    }),

    iotOperation("DescribeJobTemplate", async (request) => {
      const name = label(request, "jobTemplateId");
      const { description, createdAt, members } = await templates.get(name);
      return {
        json: { jobTemplateArn: templateArn(name), jobTemplateId: name, description, createdAt: toSeconds(createdAt), ...members },
      };
    }),

    iotOperation("DeleteJobTemplate", async (request) => {
      const name = label(request, "jobTemplateId");
      await templates.get(name);
      await fleet.records.remove(family, name);
      await forgetTags(ports, templateArn(name));
      return emptyAnswer;
    }),

    iotOperation("ListJobTemplates", async ({ query }) => {
      const page = await fleet.records.list(family, readPage(query));
      return answerPage("jobTemplates", page, ({ name, value }) => {
        const { description, createdAt } = value as StoredTemplate;
        return { jobTemplateArn: templateArn(name), jobTemplateId: name, description, createdAt: toSeconds(createdAt) };
      });
    }),
  ];
}
