/** Executions as the makers of jobs see them (aws-iot.md, 16). */
import { checkJobDetails, formatJobTarget, jobExecutionStatuses } from "@thingstead/dialects";
import { MemberReader, queryChoice, queryFlag, queryInteger, queryText, refuseMember } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { emptyAnswer, iotOperation, label } from "./iot-operation.ts";
import { executionMembers, executionSummary } from "./job-members.ts";
import type { JobParts } from "./jobs.ts";
import { answerPage, readPage } from "./paging.ts";

export function createJobExecutionOperations({ account, fleetJobs, clock, jobRequestBounds }: JobParts): AwsOperation[] {
  return [
    iotOperation("DescribeJobExecution", async (request) => {
      const executionNumber = queryInteger(request.query, "executionNumber");
      const execution = await fleetJobs.execution(label(request, "jobId"), label(request, "thingName"), executionNumber);
      return { json: { execution: executionMembers(account, execution, clock.now()) } };
    }),

    iotOperation("CancelJobExecution", async (request) => {
      const members = new MemberReader(request.json());
      const expectedVersion = members.integer("expectedVersion");
      const raw = members.raw("statusDetails");
      const statusDetails = raw && checkJobDetails(raw, jobRequestBounds);
      if (statusDetails !== undefined && "problem" in statusDetails) {
        refuseMember("statusDetails", statusDetails.problem.received, statusDetails.problem.expected);
      }
      await fleetJobs.cancelExecution(label(request, "jobId"), label(request, "thingName"), {
        isForced: queryFlag(request.query, "force") ?? false,
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
        ...(statusDetails === undefined ? {} : { statusDetails: statusDetails.details }),
      });
      return emptyAnswer;
    }),

    iotOperation("DeleteJobExecution", async (request) => {
      const text = label(request, "executionNumber");
      const executionNumber = /^\d{1,15}$/.test(text) ? Number(text) : refuseMember("executionNumber", text, "a whole number");
      const isForced = queryFlag(request.query, "force") ?? false;
      await fleetJobs.deleteExecution(label(request, "jobId"), label(request, "thingName"), executionNumber, isForced);
      return emptyAnswer;
    }),

    iotOperation("ListJobExecutionsForThing", async (request) => {
      const { query } = request;
      const jobId = queryText(query, "jobId");
      const of = { thingName: label(request, "thingName"), ...(jobId === undefined ? {} : { jobId }) };
      const page = await fleetJobs.executions(of, readPage(query), queryChoice(query, "status", jobExecutionStatuses));
      return answerPage("executionSummaries", page, (execution) => ({
        jobId: execution.jobId,
        jobExecutionSummary: executionSummary(execution),
      }));
    }),

    iotOperation("ListJobExecutionsForJob", async (request) => {
      const { query } = request;
      const of = { jobId: label(request, "jobId") };
      const page = await fleetJobs.executions(of, readPage(query), queryChoice(query, "status", jobExecutionStatuses));
      return answerPage("executionSummaries", page, (execution) => ({
        thingArn: formatJobTarget(account, { kind: "thing", name: execution.thingName }),
        jobExecutionSummary: executionSummary(execution),
      }));
    }),
  ];
}
