/** Jobs over MQTT: what things ask, and what they are told of their own accord. Source: aws-iot.md, 12.1. */
import {
  type AwsAccount,
  formatJobExecution,
  formatJobRejection,
  formatJobsChanged,
  formatJobTarget,
  formatJobUpdated,
  formatPendingJobs,
  type JobRejectionCode,
  type JobRequest,
  type JobRequestBounds,
  jobProcessDetails,
  readJobRequest,
} from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import type { DeviceLog } from "../../device-log/index.ts";
import type { CountedFleetJob, FleetJobChange, FleetJobs, JobExecution } from "../../device-services/index.ts";
import { formatError } from "../../errors/index.ts";
import type { AwsJobEvents } from "./job-events.ts";
import type { AwsAnswers, AwsUplink, AwsUplinkHandler, AwsUplinkHandlers } from "./uplink.ts";

export interface JobHandlersPorts {
  jobs: Pick<FleetJobs, "pending" | "offer" | "startNext" | "report" | "onChange">;
  answers: AwsAnswers;
  events: AwsJobEvents;
  account: AwsAccount;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  /** Of the product whose devices are the things. */
  productKey: string;
  clock: Pick<Clock, "now">;
  bounds: JobRequestBounds;
  onFailure(error: unknown): void;
}

interface Rejection {
  code: JobRejectionCode;
  message: string;
  received: string;
  expected: string;
  state?: JobExecution;
}

type Served = { accepted: string } | { rejected: Rejection };

const next = "$next";

export function createJobHandlers(ports: JobHandlersPorts): AwsUplinkHandlers {
  const { jobs, answers, clock, bounds, onFailure } = ports;
  jobs.onChange((change) => tell(ports, change));

  function reject(uplink: Source, clientToken: string | undefined, rejection: Rejection): void {
    log(ports, uplink, rejection);
    answer(uplink, "rejected", formatJobRejection(rejection, { now: clock.now(), clientToken }));
  }

  /** To whoever asked and nobody else; a rule or a server hears nothing. */
  function answer({ sessionId, topic }: Source, end: "accepted" | "rejected", text: string): void {
    if (sessionId !== undefined) answers.deliver(sessionId, `${topic}/${end}`, Buffer.from(text));
  }

  function served(
    serve: (names: { thingName: string; jobId: string }, request: JobRequest, stamp: Stamp) => Promise<Served>,
  ): AwsUplinkHandler {
    return ({ topic, qos, sessionId, payload, parts }) => {
      const { thingName = "", jobId = "" } = parts;
      const source: Source = { topic, qos, sessionId, thingName, payloadBytes: payload.byteLength };
      const reading = readJobRequest(payload, bounds);
      if (!("request" in reading)) {
        reject(source, reading.clientToken, reading);
        return undefined;
      }
      const { request } = reading;
      const { clientToken } = request;
      return serve({ thingName, jobId }, request, { now: clock.now(), clientToken }).then(
        (outcome) => {
          if ("accepted" in outcome) answer(source, "accepted", outcome.accepted);
          else reject(source, clientToken, outcome.rejected);
        },
        (error: unknown) => {
          onFailure(error);
          reject(source, clientToken, internalError);
        },
      );
    };
  }

  return {
    "jobs/get-pending": served(async ({ thingName }, _request, stamp) => ({
      accepted: formatPendingJobs(await jobs.pending(thingName), stamp),
    })),

    "jobs/start-next": served(async ({ thingName }, request, stamp) => ({
      accepted: formatJobExecution(await jobs.startNext(thingName, startOf(request)), stamp),
    })),

    "jobs/get": served(async ({ thingName, jobId }, { executionNumber, includesDocument = true }, stamp) => {
      const offer = await (jobId === next ? jobs.offer(thingName) : jobs.offer(thingName, jobId, executionNumber));
      if (offer === undefined)
        return jobId === next ? { accepted: formatJobExecution(undefined, stamp) } : { rejected: unknownExecution(jobId) };
      if (isOver(offer)) return { rejected: executionOver(offer) };
      const { document, ...execution } = offer;
      return { accepted: formatJobExecution(includesDocument ? { ...execution, document } : execution, stamp) };
    }),

    "jobs/update": served(async ({ thingName, jobId }, request, stamp) => {
      const { status, expectedVersion, executionNumber, includesState, includesDocument } = request;
      if (jobId === next) return { rejected: noSuchOperation };
      if (status === undefined) return { rejected: statusMissing };
      const outcome = await jobs.report(thingName, jobId, {
        status,
        ...startOf(request),
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
        ...(executionNumber === undefined ? {} : { executionNumber }),
      });
      switch (outcome.kind) {
        case "unknown":
          return { rejected: unknownExecution(jobId) };
        case "version_conflict":
          return { rejected: versionMismatch(outcome.execution, expectedVersion) };
        case "invalid_transition":
          return { rejected: invalidTransition(outcome.execution, status) };
        case "done": {
          const { document } = outcome.execution;
          const state = includesState ? outcome.execution : undefined;
          return { accepted: formatJobUpdated({ state, document: includesDocument === true ? document : undefined }, stamp) };
        }
      }
    }),
  };
}

type Stamp = { now: number; clientToken?: string | undefined };
type Source = Pick<AwsUplink, "topic" | "qos"> & { sessionId: string | undefined; thingName: string; payloadBytes: number };

function startOf({ statusDetails, stepTimeoutMinutes }: JobRequest): Pick<JobRequest, "statusDetails" | "stepTimeoutMinutes"> {
  return {
    ...(statusDetails === undefined ? {} : { statusDetails }),
    ...(stepTimeoutMinutes === undefined ? {} : { stepTimeoutMinutes }),
  };
}

const isOver = ({ status }: JobExecution): boolean => status !== "QUEUED" && status !== "IN_PROGRESS";

const internalError: Rejection = {
  code: "InternalError",
  message: "The server failed; try again.",
  received: "a request",
  expected: "a server that works",
};
const noSuchOperation: Rejection = {
  code: "InvalidTopic",
  message: "$next cannot be updated: name the job.",
  received: next,
  expected: "the id of a job",
};
const statusMissing: Rejection = {
  code: "InvalidRequest",
  message: "status is missing.",
  received: "no status",
  expected: "IN_PROGRESS, SUCCEEDED, FAILED or REJECTED",
};
const unknownExecution = (jobId: string): Rejection => ({
  code: "ResourceNotFound",
  message: `There is no such execution of the job ${jobId}.`,
  received: jobId,
  expected: "a job of this thing",
});
const executionOver = (state: JobExecution): Rejection => ({
  code: "TerminalStateReached",
  message: `The execution is over: ${state.status}.`,
  received: state.status,
  expected: "QUEUED or IN_PROGRESS",
});
const versionMismatch = (state: JobExecution, received: number | undefined): Rejection => ({
  code: "VersionMismatch",
  message: `The execution has version ${state.versionNumber}, not ${received}.`,
  received: String(received),
  expected: String(state.versionNumber),
  state,
});
const invalidTransition = (state: JobExecution, status: string): Rejection => ({
  code: "InvalidStateTransition",
  message: `The execution cannot go from ${state.status} to ${status}.`,
  received: status,
  expected: `a step from ${state.status}`,
  state,
});

function log({ deviceLog, productKey }: JobHandlersPorts, source: Source, { code, received, expected }: Rejection): void {
  const { thingName, topic, qos, payloadBytes } = source;
  if (!deviceLog.wants("publish", productKey, thingName)) return;
  const told = { received: `${code}: ${received}`, expected };
  const reason = formatError("bindings.request_refused", told, "en");
  const place = { productKey, deviceName: thingName, topic, qos, payloadBytes };
  deviceLog.write({ kind: "publish", isSuccess: false, code: "bindings.request_refused", ...place, reason, ...told });
}

function tell({ answers, events, account, clock }: JobHandlersPorts, change: FleetJobChange): void {
  const publish = (thingName: string, name: string, text: string) =>
    answers.publish(`$aws/things/${thingName}/jobs/${name}`, Buffer.from(text));
  if (change.kind === "pending") publish(change.thingName, "notify", formatJobsChanged(change.executions, clock.now()));
  if (change.kind === "next") publish(change.thingName, "notify-next", formatJobExecution(change.execution, { now: clock.now() }));
  if (change.kind === "job") events.publishJobEvent({ operation: change.operation, ...eventMembers(account, change.job) });
  if (change.kind === "execution") {
    const { jobId, thingName, status, statusDetails } = change.execution;
    events.publishJobExecutionEvent({ operation: change.operation, jobId, thingName, status, statusDetails });
  }
}

function eventMembers(account: AwsAccount, job: CountedFleetJob) {
  const { id, status, selection, targets, description, createdAt, modifiedAt, completedAt, comment, counts } = job;
  return {
    jobId: id,
    status,
    targetSelection: selection,
    targets: targets.map((target) => formatJobTarget(account, target)),
    createdAt,
    lastUpdatedAt: modifiedAt,
    jobProcessDetails: jobProcessDetails(counts),
    ...(description === "" ? {} : { description }),
    ...(completedAt === undefined ? {} : { completedAt }),
    ...(comment === undefined ? {} : { comment }),
  };
}
