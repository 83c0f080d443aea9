/** Jobs of the control plane and of devices (aws-iot.md, 12, 15.2 and 16). */
import type { AwsAccount, JobRequestBounds } from "@thingstead/dialects";
import { fillDocument } from "@thingstead/dialects";
import type { Clock } from "../../../clock.ts";
import type { FleetJobs, NewFleetJob } from "../../../device-services/index.ts";
import { PlatformError } from "../../../errors/index.ts";
import type { Fleet } from "../../../fleet/index.ts";
import { withDetails } from "../answer.ts";
import { MemberReader, queryChoice, queryFlag, queryText, refuseMember } from "../members.ts";
import type { AwsAnswer, AwsOperation } from "../operation.ts";
import { emptyAnswer, iotOperation, label } from "./iot-operation.ts";
import { createJobExecutionOperations } from "./job-executions.ts";
import { jobArn, jobMembers, readDocument, readNotes, readSchedule, readSettings, readTargets, summaryMembers } from "./job-members.ts";
import { createJobTemplateOperations, createJobTemplates } from "./job-templates.ts";
import { createJobsDataOperations } from "./jobs-data.ts";
import { answerPage, readPage } from "./paging.ts";
import { createResourceNames, type ResourceNames } from "./resources.ts";
import { forgetTags, readTags, setTags } from "./tags.ts";

/** What families of operations on jobs share. */
export interface JobParts extends JobOperationPorts {
  names: ResourceNames;
}

export interface JobOperationPorts {
  fleet: Pick<Fleet, "records" | "resourceTags">;
  account: AwsAccount;
  fleetJobs: FleetJobs;
  clock: Pick<Clock, "now">;
  jobRequestBounds: JobRequestBounds;
}

const jobStatuses = ["IN_PROGRESS", "CANCELED", "COMPLETED", "DELETION_IN_PROGRESS", "SCHEDULED"] as const;
const selections = ["CONTINUOUS", "SNAPSHOT"] as const;

export function createJobsOperations(operationPorts: JobOperationPorts): AwsOperation[] {
  const ports: JobParts = { ...operationPorts, names: createResourceNames(operationPorts.account) };
  const { account, fleetJobs } = ports;
  const templates = createJobTemplates(ports);

  const told = ({ id, description }: { id: string; description: string }): AwsAnswer => ({
    json: { jobArn: jobArn(account, id), jobId: id, ...(description === "" ? {} : { description }) },
  });

  /** What exists already is told with its ARN. */
  async function create(job: NewFleetJob) {
    try {
      return await fleetJobs.create(job);
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== "fleet_jobs.job_exists") throw error;
      throw withDetails(error, { resourceId: job.id, resourceArn: jobArn(account, job.id) });
    }
  }

  const control: AwsOperation[] = [
    iotOperation("CreateJob", async (request) => {
      const given = request.json();
      const templateArn = new MemberReader(given).text("jobTemplateArn");
      // What the request says itself comes before the template's.
      const body = templateArn === undefined ? given : { ...(await templates.membersOf(templateArn)), ...given };
      const members = new MemberReader(body);
      const selection = members.choice("targetSelection", selections);
      const tags = readTags(members);
      const job = await create({
        id: label(request, "jobId"),
        targets: readTargets(members, account),
        document: readDocument(members) ?? members.refuse("document", "the text of a JSON document"),
        parameters: members.textMap("documentParameters") ?? {},
        ...readSettings(members),
        ...readSchedule(members),
        notes: readNotes(body),
        ...(selection === undefined ? {} : { selection }),
      });
      await setTags(ports, jobArn(account, job.id), tags);
      return told(job);
    }),

    iotOperation("DescribeJob", async (request) => ({ json: { job: jobMembers(account, await fleetJobs.get(label(request, "jobId"))) } })),

    iotOperation("GetJobDocument", async (request) => {
      const { document, parameters } = await fleetJobs.get(label(request, "jobId"));
      return {
        json: { document: queryFlag(request.query, "beforeSubstitution") === true ? document : fillDocument(document, parameters) },
      };
    }),

    iotOperation("UpdateJob", async (request) => {
      const jobId = label(request, "jobId");
      const body = request.json();
      const notes = readNotes(body);
      const { notes: known } = await fleetJobs.get(jobId);
      await fleetJobs.update(jobId, { ...readSettings(new MemberReader(body)), notes: { ...known, ...notes } });
      return emptyAnswer;
    }),

    iotOperation("CancelJob", async (request) => {
      const members = new MemberReader(request.json());
      const reasonCode = members.text("reasonCode");
      if (reasonCode !== undefined && !/^[\w\-:;.]{1,128}$/.test(reasonCode))
        members.refuse("reasonCode", "1 to 128 letters, digits, _ and -");
      const comment = members.text("comment");
      const job = await fleetJobs.cancel(label(request, "jobId"), {
        isForced: queryFlag(request.query, "force") ?? false,
        ...(reasonCode === undefined ? {} : { reasonCode }),
        ...(comment === undefined ? {} : { comment }),
      });
      return told(job);
    }),

    iotOperation("DeleteJob", async (request) => {
      const jobId = label(request, "jobId");
      await fleetJobs.delete(jobId, queryFlag(request.query, "force") ?? false);
      await forgetTags(ports, jobArn(account, jobId));
      return emptyAnswer;
    }),

    iotOperation("ListJobs", async ({ query }) => {
      const groupId = queryText(query, "thingGroupId");
      if (groupId !== undefined) refuseMember("thingGroupId", groupId, "thingGroupName instead: groups are found by their name");
      const status = queryChoice(query, "status", jobStatuses);
      const selection = queryChoice(query, "targetSelection", selections);
      const groupName = queryText(query, "thingGroupName");
      const page = await fleetJobs.list(readPage(query), {
        ...(status === undefined ? {} : { status }),
        ...(selection === undefined ? {} : { selection }),
        ...(groupName === undefined ? {} : { groupName }),
      });
      return answerPage("jobs", page, (job) => summaryMembers(account, job));
    }),

    iotOperation("AssociateTargetsWithJob", async (request) => {
      const members = new MemberReader(request.json());
      return told(await fleetJobs.addTargets(label(request, "jobId"), readTargets(members, account), members.text("comment")));
    }),
  ];

  return [
    ...control,
    ...createJobExecutionOperations(ports),
    ...createJobTemplateOperations(ports, templates),
    ...createJobsDataOperations(ports),
  ];
}
