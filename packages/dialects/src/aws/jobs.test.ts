/** Job messages as they are on the wire (AWS reference, 12.1). */
import { expect, test } from "vitest";
import { formatJobExecution, formatJobRejection, formatJobsChanged, formatJobUpdated, formatPendingJobs } from "./job-answers.ts";
import { documentParameterNames, fillDocument, unfillablePlaceholder } from "./job-documents.ts";
import { formatJobTarget, jobProcessDetails, parseJobTarget } from "./job-names.ts";
import { readJobRequest } from "./job-requests.ts";
import { type JobExecutionStatus, jobExecutionStatuses, mayDeviceSet } from "./job-states.ts";

const bounds = { statusDetailsPairsMax: 2, statusDetailsKeyCharactersMax: 8, statusDetailsValueCharactersMax: 10, timeoutMinutesMax: 100 };
const read = (text: string) => readJobRequest(Buffer.from(text), bounds);
const now = 1_700_000_000_999;
const execution = {
  jobId: "one",
  thingName: "lamp",
  status: "IN_PROGRESS",
  statusDetails: { step: "1" },
  queuedAt: now - 5_000,
  startedAt: now - 3_000,
  updatedAt: now - 1_000,
  versionNumber: 2,
  executionNumber: 1,
  deadlineAt: now + 61_500,
} as const;
const queued = { ...execution, jobId: "two", status: "QUEUED", statusDetails: {} } as const;

test("12.1 requests are read: every member, numbers as texts, nothing at all", () => {
  expect(read("")).toEqual({ request: { includesState: false } });
  expect(read('{"clientToken":null,"other":1}')).toEqual({ request: { includesState: false } });
  const members = {
    clientToken: "t",
    status: "SUCCEEDED",
    statusDetails: { a: "b" },
    expectedVersion: "3",
    executionNumber: 1,
    includeJobExecutionState: true,
    includeJobDocument: false,
    stepTimeoutInMinutes: -1,
  };
  expect(read(JSON.stringify(members))).toEqual({
    request: {
      clientToken: "t",
      status: "SUCCEEDED",
      statusDetails: { a: "b" },
      expectedVersion: 3,
      executionNumber: 1,
      includesState: true,
      includesDocument: false,
      stepTimeoutMinutes: -1,
    },
  });
});

test.each([
  ["{", "InvalidJson"],
  ["7", "InvalidJson"],
  ["null", "InvalidJson"],
  ["[".repeat(60_000) + "]".repeat(60_000), "InvalidJson"],
  ['{"status":"succeeded"}', "InvalidRequest"],
  [`{"statusDetails":${"[".repeat(60_000)}${"]".repeat(60_000)}}`, "InvalidRequest"],
  ['{"statusDetails":{"a":1}}', "InvalidRequest"],
  ['{"statusDetails":{"a":"1","b":"2","c":"3"}}', "InvalidRequest"],
  ['{"statusDetails":{"a b":"1"}}', "InvalidRequest"],
  ['{"statusDetails":{"a":"12345678901"}}', "InvalidRequest"],
  ['{"statusDetails":{"a":"\\u0007"}}', "InvalidRequest"],
  ['{"stepTimeoutInMinutes":0}', "InvalidRequest"],
  ['{"stepTimeoutInMinutes":101}', "InvalidRequest"],
  ['{"expectedVersion":"x"}', "InvalidRequest"],
  ['{"expectedVersion":1.5}', "InvalidRequest"],
  ['{"includeJobDocument":1}', "InvalidRequest"],
  [`{"clientToken":"${"x".repeat(65)}"}`, "InvalidRequest"],
])("12.1 %.40s is refused as %s", (text, code) => {
  expect(read(text)).toMatchObject({ code, received: expect.any(String), expected: expect.any(String) });
});

test("12.1 a payload that is no UTF-8 is no JSON; a good token comes back with a refusal", () => {
  expect(readJobRequest(Buffer.from([0x7b, 0xff, 0x7d]), bounds)).toMatchObject({ code: "InvalidJson" });
  expect(read('{"clientToken":"t","status":1}')).toMatchObject({ code: "InvalidRequest", clientToken: "t" });
});

test("12.1 times are whole seconds, the document is an object as it was written", () => {
  const document = '{"id":12345678901234567890}';
  const text = formatJobExecution({ ...execution, document }, { now, clientToken: "t" });
  expect(text).toContain(`"jobDocument":${document}`);
  expect(JSON.parse(text)).toMatchObject({
    execution: {
      jobId: "one",
      thingName: "lamp",
      status: "IN_PROGRESS",
      statusDetails: { step: "1" },
      queuedAt: 1_699_999_995,
      startedAt: 1_699_999_997,
      lastUpdatedAt: 1_699_999_999,
      versionNumber: 2,
      executionNumber: 1,
      approximateSecondsBeforeTimedOut: 61,
    },
    timestamp: 1_700_000_000,
    clientToken: "t",
  });
  expect(formatJobExecution(undefined, { now })).toBe('{"timestamp":1700000000}');
});

test("12.1 lists tell what runs and what waits", () => {
  const pending = JSON.parse(formatPendingJobs([execution, queued], { now }));
  expect(pending).toMatchObject({ inProgressJobs: [{ jobId: "one" }], queuedJobs: [{ jobId: "two" }], timestamp: 1_700_000_000 });
  expect(Object.keys(pending.queuedJobs[0])).toEqual([
    "jobId",
    "queuedAt",
    "startedAt",
    "lastUpdatedAt",
    "versionNumber",
    "executionNumber",
  ]);
  expect(JSON.parse(formatJobsChanged([execution, queued], now)).jobs).toMatchObject({
    IN_PROGRESS: [{ jobId: "one" }],
    QUEUED: [{ jobId: "two" }],
  });
  expect(formatJobsChanged([], now)).toBe('{"timestamp":1700000000,"jobs":{}}');
});

test("12.1 an update is told with what was asked for, a refusal with the state", () => {
  expect(formatJobUpdated({}, { now })).toBe('{"timestamp":1700000000}');
  expect(JSON.parse(formatJobUpdated({ state: execution, document: "[1]" }, { now }))).toEqual({
    executionState: { status: "IN_PROGRESS", statusDetails: { step: "1" }, versionNumber: 2 },
    timestamp: 1_700_000_000,
    jobDocument: [1],
  });
  expect(JSON.parse(formatJobRejection({ code: "VersionMismatch", message: "m", state: execution }, { now, clientToken: "t" }))).toEqual({
    code: "VersionMismatch",
    message: "m",
    timestamp: 1_700_000_000,
    clientToken: "t",
    executionState: { status: "IN_PROGRESS", statusDetails: { step: "1" }, versionNumber: 2 },
  });
});

test("12.1 the states a device may set", () => {
  const allowed = jobExecutionStatuses.flatMap((from) =>
    jobExecutionStatuses.filter((to) => mayDeviceSet(from, to)).map((to): [JobExecutionStatus, JobExecutionStatus] => [from, to]),
  );
  const steps = ["IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED"];
  expect(allowed).toEqual(["QUEUED", "IN_PROGRESS"].flatMap((from) => steps.map((to) => [from, to])));
});

test("12.2 placeholders are filled inside texts, or told", () => {
  const document = '{"a":"x ${aws:iot:parameter:who} y"}';
  expect(documentParameterNames(document)).toEqual(["who"]);
  expect(JSON.parse(fillDocument(document, { who: 'a "quoted" $& one' }))).toEqual({ a: 'x a "quoted" $& one y' });
  expect(fillDocument(document, {})).toBe(document);
  expect(unfillablePlaceholder('{"u":"${aws:iot:s3-presigned-url:https://s3/b/k}"}')).toBe("${aws:iot:s3-presigned-url:https://s3/b/k}");
  expect(unfillablePlaceholder(document)).toBeUndefined();
});

test("16 targets are ARNs of this account, progress is counted for every status", () => {
  const account = { region: "us-east-2", accountId: "123456789012" };
  for (const target of [{ kind: "thing", name: "a:b" } as const, { kind: "group", name: "g" } as const]) {
    expect(parseJobTarget(account, formatJobTarget(account, target))).toEqual(target);
  }
  expect(parseJobTarget(account, "arn:aws:iot:us-east-2:999999999999:thing/a")).toBeUndefined();
  expect(parseJobTarget(account, "arn:aws:iot:us-east-2:123456789012:thing/")).toBeUndefined();
  expect(parseJobTarget(account, "arn:aws:iot:us-east-2:123456789012:thingtype/a")).toBeUndefined();
  expect(jobProcessDetails({ QUEUED: 2 })).toMatchObject({ numberOfQueuedThings: 2, numberOfTimedOutThings: 0 });
});
