/** What devices ask of their jobs over HTTPS; documents are texts here (aws-iot.md, 15.2). */
import { type JobRequest, jobExecutionMembers, jobStateMembers, readJobMembers, splitPending } from "@thingstead/dialects";
import type { JobExecution, OfferedExecution } from "../../../device-services/index.ts";
import { PlatformError } from "../../../errors/index.ts";
import { refuseMember } from "../members.ts";
import type { AwsAnswer, AwsOperation, AwsRequest } from "../operation.ts";
import { label } from "./iot-operation.ts";
import type { JobParts } from "./jobs.ts";

const next = "$next";
const isOver = ({ status }: JobExecution): boolean => status !== "QUEUED" && status !== "IN_PROGRESS";

export function createJobsDataOperations({ fleetJobs, clock, jobRequestBounds }: JobParts): AwsOperation[] {
  function operation(
    name: string,
    method: AwsOperation["method"],
    path: string,
    serve: (thingName: string, asked: JobRequest, request: AwsRequest) => Promise<AwsAnswer>,
  ): AwsOperation {
    return {
      name,
      service: "iot-jobs-data",
      method,
      path,
      async run(request) {
        const thingName = label(request, "thingName");
        if (request.principal.kind === "certificate") request.principal.demand(`iot:${name}`, `thing/${thingName}`);
        const members = { ...Object.fromEntries(request.query), ...request.json() };
        const reading = readJobMembers(members, jobRequestBounds);
        if (!("request" in reading)) {
          throw new PlatformError("fleet_jobs.invalid", { what: "The request", received: reading.received, expected: reading.expected });
        }
        return serve(thingName, reading.request, request);
      },
    };
  }

  const told = (offer: OfferedExecution | undefined, hasDocument: boolean): AwsAnswer => ({
    json:
      offer === undefined
        ? {}
        : { execution: { ...jobExecutionMembers(offer, clock.now()), ...(hasDocument ? { jobDocument: offer.document } : {}) } },
  });

  return [
    operation("GetPendingJobExecutions", "GET", "/things/{thingName}/jobs", async (thingName) => ({
      json: splitPending(await fleetJobs.pending(thingName)),
    })),

    operation("StartNextPendingJobExecution", "PUT", "/things/{thingName}/jobs/$next", async (thingName, request) =>
      told(await fleetJobs.startNext(thingName, startOf(request)), true),
    ),

    operation("DescribeJobExecution", "GET", "/things/{thingName}/jobs/{jobId}", async (thingName, asked, request) => {
      const jobId = label(request, "jobId");
      const offer = await (jobId === next ? fleetJobs.offer(thingName) : fleetJobs.offer(thingName, jobId, asked.executionNumber));
      if (offer === undefined && jobId !== next) throw new PlatformError("fleet_jobs.execution_not_found", { jobId, thingName });
      if (offer !== undefined && isOver(offer)) throw new PlatformError("fleet_jobs.execution_over", { received: offer.status });
      return told(offer, asked.includesDocument ?? true);
    }),

    operation("UpdateJobExecution", "POST", "/things/{thingName}/jobs/{jobId}", async (thingName, asked, request) => {
      const jobId = label(request, "jobId");
      const { status, expectedVersion, executionNumber, includesState, includesDocument } = asked;
      if (status === undefined) return refuseMember("status", undefined, "IN_PROGRESS, SUCCEEDED, FAILED or REJECTED");
      const outcome = await fleetJobs.report(thingName, jobId, {
        status,
        ...startOf(asked),
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
        ...(executionNumber === undefined ? {} : { executionNumber }),
      });
      if (outcome.kind === "unknown") throw new PlatformError("fleet_jobs.execution_not_found", { jobId, thingName });
      if (outcome.kind === "version_conflict") {
        const versions = { received: expectedVersion ?? "nothing", expected: outcome.execution.versionNumber };
        throw new PlatformError("fleet_jobs.report_version_conflict", versions);
      }
      if (outcome.kind === "invalid_transition") {
        const expected = `a status that can become ${status}`;
        throw new PlatformError("fleet_jobs.invalid_state", { what: "The execution", received: outcome.execution.status, expected });
      }
      const { document, ...execution } = outcome.execution;
      return {
        json: {
          ...(includesState ? { executionState: jobStateMembers(execution) } : {}),
          ...(includesDocument === true ? { jobDocument: document } : {}),
        },
      };
    }),
  ];
}

function startOf({ statusDetails, stepTimeoutMinutes }: JobRequest): Pick<JobRequest, "statusDetails" | "stepTimeoutMinutes"> {
  return {
    ...(statusDetails === undefined ? {} : { statusDetails }),
    ...(stepTimeoutMinutes === undefined ? {} : { stepTimeoutMinutes }),
  };
}
