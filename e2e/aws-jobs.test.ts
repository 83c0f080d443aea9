/** Jobs as the vendor's device SDKs and API clients know them (AWS reference, 12, 15.2 and 16). */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AddThingToThingGroupCommand,
  AssociateTargetsWithJobCommand,
  CancelJobCommand,
  CancelJobExecutionCommand,
  CreateJobCommand,
  CreateJobTemplateCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DeleteJobCommand,
  DeleteJobExecutionCommand,
  DescribeJobCommand,
  DescribeJobExecutionCommand,
  DescribeJobTemplateCommand,
  GetJobDocumentCommand,
  ListJobExecutionsForJobCommand,
  ListJobExecutionsForThingCommand,
  ListJobsCommand,
  RemoveThingFromThingGroupCommand,
  UpdateEventConfigurationsCommand,
  UpdateJobCommand,
} from "@aws-sdk/client-iot";
import {
  DescribeJobExecutionCommand as DescribeOwnExecutionCommand,
  GetPendingJobExecutionsCommand,
  IoTJobsDataPlaneClient,
  StartNextPendingJobExecutionCommand,
  UpdateJobExecutionCommand,
} from "@aws-sdk/client-iot-jobs-data-plane";
import vendorSdk from "aws-iot-device-sdk";
import { iot, iotjobs, mqtt5 } from "aws-iot-device-sdk-v2";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AwsDevice, type AwsFixture, startAwsFixture } from "./support/aws-fixture.ts";

let aws: AwsFixture;
let data: IoTJobsDataPlaneClient;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  aws = await startAwsFixture();
  data = new IoTJobsDataPlaneClient(aws.clientOptions());
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(async () => {
  data?.destroy();
  await aws?.remove();
});

const thingArn = (name: string) => aws.arn(`thing/${name}`);
const reboot = JSON.stringify({ operation: "reboot", delaySeconds: 5 });

async function createJob(jobId: string, thingName: string, more: object = {}): Promise<void> {
  await aws.iot.send(new CreateJobCommand({ jobId, targets: [thingArn(thingName)], document: reboot, ...more }));
}

async function describe(jobId: string) {
  return (await aws.iot.send(new DescribeJobCommand({ jobId }))).job;
}

async function connect(
  device: AwsDevice,
  clientId: string,
): Promise<{ client: mqtt.MqttClient; heard: { topic: string; payload: Record<string, unknown> }[] }> {
  const client = await mqtt.connectAsync(`mqtts://localhost:${aws.server.devicePort}`, {
    ca: aws.server.ca,
    cert: device.certificatePem,
    key: device.privateKeyPem,
    clientId,
    reconnectPeriod: 0,
  });
  closers.push(() => client.endAsync(true));
  const heard: { topic: string; payload: Record<string, unknown> }[] = [];
  client.on("message", (topic, payload) => {
    // Requests of others come by too, broken ones among them.
    if (!/\/(get|update)$/.test(topic)) heard.push({ topic, payload: JSON.parse(payload.toString()) });
  });
  return { client, heard };
}

interface VendorJob {
  id: string;
  document: Record<string, unknown>;
  status: { status: string };
  inProgress(details: object, callback: (error?: Error) => void): void;
  succeeded(details: object, callback: (error?: Error) => void): void;
  failed(details: object, callback: (error?: Error) => void): void;
}

test("12.1 aws-iot-device-sdk: the jobs client takes one job after the other", async () => {
  const device = await aws.createDevice({ thingName: "old-lamp" });
  await createJob("old-1", "old-lamp");
  const client = vendorSdk.jobs({
    privateKey: Buffer.from(device.privateKeyPem),
    clientCert: Buffer.from(device.certificatePem),
    caCert: aws.server.ca,
    clientId: "old-lamp",
    host: "localhost",
    port: aws.server.devicePort,
  });
  closers.push(() => new Promise<void>((resolve) => client.end(true, resolve)));
  await once(client, "connect");
  const jobs: VendorJob[] = [];
  client.subscribeToJobs("old-lamp", "reboot", (error: Error | undefined, job: VendorJob) => {
    if (job) jobs.push(job);
    else expect(error).toBeFalsy();
  });
  client.startJobNotifications("old-lamp", (error: Error | undefined) => expect(error).toBeFalsy());
  await expect.poll(() => jobs.map(({ id }) => id)).toContain("old-1");
  const first = jobs[0];
  expect(first).toMatchObject({ document: { operation: "reboot", delaySeconds: 5 }, status: { status: "QUEUED" } });
  await new Promise<void>((resolve) => first?.inProgress({ step: "begun" }, () => resolve()));
  await expect.poll(async () => (await describe("old-1"))?.jobProcessDetails?.numberOfInProgressThings).toBe(1);
  await createJob("old-2", "old-lamp");
  await new Promise<void>((resolve) => first?.succeeded({ step: "done" }, () => resolve()));
  // Told by notify-next.
  await expect.poll(() => jobs.at(-1)?.id).toBe("old-2");
  await new Promise<void>((resolve) => jobs.at(-1)?.failed({ reason: "no power" }, () => resolve()));
  await expect.poll(async () => (await describe("old-2"))?.status).toBe("COMPLETED");
  expect(await describe("old-1")).toMatchObject({ status: "COMPLETED", jobProcessDetails: { numberOfSucceededThings: 1 } });
  const { execution } = await aws.iot.send(new DescribeJobExecutionCommand({ jobId: "old-2", thingName: "old-lamp" }));
  expect(execution).toMatchObject({ status: "FAILED", statusDetails: { detailsMap: { reason: "no power" } }, versionNumber: 2 });
});

async function connectCrt(device: AwsDevice, clientId: string): Promise<iotjobs.IotJobsClientv2> {
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
    "localhost",
    device.certificatePem,
    device.privateKeyPem,
  );
  builder.withPort(aws.server.devicePort).withCertificateAuthority(aws.server.ca.toString());
  builder.withConnectProperties({ clientId, keepAliveIntervalSeconds: 30 });
  const client = new mqtt5.Mqtt5Client(builder.build());
  client.on("error", () => {});
  const connected = once(client, "connectionSuccess");
  client.start();
  await connected;
  const jobs = iotjobs.IotJobsClientv2.newFromMqtt5(client, {
    maxRequestResponseSubscriptions: 8,
    maxStreamingSubscriptions: 2,
    operationTimeoutInSeconds: 10,
  });
  closers.push(async () => {
    jobs.close();
    const stopped = once(client, "stopped");
    client.stop();
    await stopped;
    client.close();
  });
  return jobs;
}

test("12.1 aws-iot-device-sdk-v2: asks, starts, reports, is refused, and is told", async () => {
  const thingName = "new-lamp";
  const jobs = await connectCrt(await aws.createDevice({ thingName }), thingName);
  const lists: iotjobs.model.JobExecutionsChangedEvent[] = [];
  const nexts: iotjobs.model.NextJobExecutionChangedEvent[] = [];
  const changed = jobs.createJobExecutionsChangedStream({ thingName });
  changed.on("incomingPublish", ({ message }) => lists.push(message));
  const next = jobs.createNextJobExecutionChangedStream({ thingName });
  next.on("incomingPublish", ({ message }) => nexts.push(message));
  const established = [once(changed, "subscriptionStatus"), once(next, "subscriptionStatus")];
  changed.open();
  next.open();
  closers.push(
    () => changed.close(),
    () => next.close(),
  );
  await Promise.all(established);

  expect(await jobs.getPendingJobExecutions({ thingName })).toMatchObject({ inProgressJobs: [], queuedJobs: [] });
  expect((await jobs.startNextPendingJobExecution({ thingName })).execution).toBeUndefined();
  await createJob("new-1", thingName);
  await expect.poll(() => nexts.length).toBe(1);
  expect(nexts[0]?.execution).toMatchObject({ jobId: "new-1", status: "QUEUED", jobDocument: { operation: "reboot", delaySeconds: 5 } });
  expect(lists[0]?.jobs).toMatchObject({ QUEUED: [{ jobId: "new-1", versionNumber: 1, executionNumber: 1 }] });
  // Seconds: the client hands them on as they come.
  expect(Math.abs(Date.now() / 1000 - Number(nexts[0]?.execution?.queuedAt))).toBeLessThan(60);

  const { execution } = await jobs.startNextPendingJobExecution({ thingName, statusDetails: { step: "1" }, stepTimeoutInMinutes: 5 });
  expect(execution).toMatchObject({ jobId: "new-1", status: "IN_PROGRESS", statusDetails: { step: "1" }, versionNumber: 2, thingName });
  const described = await jobs.describeJobExecution({ thingName, jobId: "$next" });
  expect(described.execution).toMatchObject({ jobId: "new-1", jobDocument: { operation: "reboot" } });

  const report = { thingName, jobId: "new-1", status: iotjobs.model.JobStatus.IN_PROGRESS };
  await expect(jobs.updateJobExecution({ ...report, expectedVersion: 9 })).rejects.toMatchObject({
    modeledError: { code: "VersionMismatch", executionState: { versionNumber: 2, status: "IN_PROGRESS" } },
  });
  const updated = await jobs.updateJobExecution({
    ...report,
    status: iotjobs.model.JobStatus.SUCCEEDED,
    expectedVersion: 2,
    includeJobExecutionState: true,
    includeJobDocument: true,
  });
  expect(updated).toMatchObject({ executionState: { status: "SUCCEEDED", versionNumber: 3 }, jobDocument: { operation: "reboot" } });
  await expect(jobs.updateJobExecution(report)).rejects.toMatchObject({ modeledError: { code: "InvalidStateTransition" } });
  await expect(jobs.describeJobExecution({ thingName, jobId: "new-1" })).rejects.toMatchObject({
    modeledError: { code: "TerminalStateReached" },
  });
  await expect(jobs.describeJobExecution({ thingName, jobId: "nothing" })).rejects.toMatchObject({
    modeledError: { code: "ResourceNotFound" },
  });
  await expect.poll(() => nexts.length).toBe(2);
  expect(nexts[1]?.execution).toBeUndefined();
});

test("12.1 an answer goes to whoever asked, subscribed or not, and to nobody else", async () => {
  const device = await aws.createDevice({ thingName: "shy-lamp" });
  const other = await connect(device, "listener");
  const own = await connect(device, "shy-lamp");
  await other.client.subscribeAsync("$aws/things/shy-lamp/jobs/#", { qos: 1 });
  await own.client.publishAsync("$aws/things/shy-lamp/jobs/get", '{"clientToken":"t1"}', { qos: 1 });
  await expect.poll(() => own.heard.length).toBe(1);
  expect(own.heard[0]).toEqual({
    topic: "$aws/things/shy-lamp/jobs/get/accepted",
    payload: { inProgressJobs: [], queuedJobs: [], timestamp: expect.any(Number), clientToken: "t1" },
  });
  for (const payload of ["{", "[]", '{"clientToken":"t2","status":"DANCING"}', '{"status":"SUCCEEDED","statusDetails":{"a b":"c"}}']) {
    await own.client.publishAsync("$aws/things/shy-lamp/jobs/nothing/update", payload, { qos: 1 });
  }
  await expect.poll(() => own.heard.length).toBe(5);
  expect(own.heard.slice(1).map(({ topic, payload }) => [topic.split("/").at(-1), payload.code, payload.clientToken])).toEqual([
    ["rejected", "InvalidJson", undefined],
    ["rejected", "InvalidJson", undefined],
    ["rejected", "InvalidRequest", "t2"],
    ["rejected", "InvalidRequest", undefined],
  ]);
  await createJob("shy-1", "shy-lamp");
  await expect.poll(() => other.heard.some(({ topic }) => topic.endsWith("/notify-next"))).toBe(true);
  await own.client.publishAsync("$aws/things/shy-lamp/jobs/$next/get", '{"includeJobDocument":false}', { qos: 1 });
  await expect.poll(() => own.heard.length).toBe(6);
  expect(own.heard[5]).toEqual({
    topic: "$aws/things/shy-lamp/jobs/$next/get/accepted",
    payload: {
      execution: {
        jobId: "shy-1",
        thingName: "shy-lamp",
        status: "QUEUED",
        queuedAt: expect.any(Number),
        lastUpdatedAt: expect.any(Number),
        versionNumber: 1,
        executionNumber: 1,
      },
      timestamp: expect.any(Number),
    },
  });
  expect(other.heard.filter(({ topic }) => /accepted|rejected/.test(topic))).toEqual([]);
});

test("15.2 the jobs data plane, signed", async () => {
  const thingName = "rest-lamp";
  await aws.iot.send(new CreateThingCommand({ thingName }));
  await createJob("rest-1", thingName);
  await createJob("rest-2", thingName);
  const pending = await data.send(new GetPendingJobExecutionsCommand({ thingName }));
  expect(pending.queuedJobs?.map(({ jobId }) => jobId)).toEqual(["rest-1", "rest-2"]);
  const started = await data.send(
    new StartNextPendingJobExecutionCommand({ thingName, statusDetails: { a: "b" }, stepTimeoutInMinutes: 2 }),
  );
  expect(started.execution).toMatchObject({ jobId: "rest-1", status: "IN_PROGRESS", jobDocument: reboot, versionNumber: 2 });
  expect(started.execution?.approximateSecondsBeforeTimedOut).toBeGreaterThan(100);
  const shown = await data.send(new DescribeOwnExecutionCommand({ thingName, jobId: "$next", includeJobDocument: false }));
  expect(shown.execution).toMatchObject({ jobId: "rest-1" });
  expect(shown.execution?.jobDocument).toBeUndefined();
  const report = { thingName, jobId: "rest-1", status: "SUCCEEDED" } as const;
  await expect(data.send(new UpdateJobExecutionCommand({ ...report, expectedVersion: 7 }))).rejects.toMatchObject({
    name: "ConflictException",
  });
  const updated = await data.send(new UpdateJobExecutionCommand({ ...report, includeJobExecutionState: true, includeJobDocument: true }));
  expect(updated).toMatchObject({ executionState: { status: "SUCCEEDED", versionNumber: 3 }, jobDocument: reboot });
  await expect(data.send(new UpdateJobExecutionCommand(report))).rejects.toMatchObject({ name: "InvalidStateTransitionException" });
  await expect(data.send(new DescribeOwnExecutionCommand({ thingName, jobId: "rest-1" }))).rejects.toMatchObject({
    name: "TerminalStateException",
    $metadata: { httpStatusCode: 410 },
  });
  await expect(data.send(new DescribeOwnExecutionCommand({ thingName, jobId: "none" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});

function ask(device: AwsDevice, path: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const { devicePort, ca } = aws.server;
    const options = { host: "localhost", port: devicePort, path, ca, cert: device.certificatePem, key: device.privateKeyPem, agent: false };
    const call = request(options, async (response) => {
      let body = "";
      for await (const piece of response) body += String(piece);
      resolve({ status: response.statusCode, body });
    });
    call.on("error", reject);
    call.end();
  });
}

test("15.2 the jobs data plane with a certificate: its policies decide", async () => {
  const statements = [{ Effect: "Allow" as const, Action: "iot:GetPendingJobExecutions", Resource: thingArn("cert-lamp") }];
  const device = await aws.createDevice({ thingName: "cert-lamp", statements });
  await createJob("cert-1", "cert-lamp");
  const pending = await ask(device, "/things/cert-lamp/jobs");
  expect(pending.status).toBe(200);
  expect(JSON.parse(pending.body)).toMatchObject({ queuedJobs: [{ jobId: "cert-1" }] });
  expect((await ask(device, "/things/cert-lamp/jobs/cert-1")).status).toBe(403);
  expect((await ask(device, "/things/other/jobs")).status).toBe(403);
});

test("16 a job goes on for a group, changes, is canceled and deleted", async () => {
  const groupArn = aws.arn("thinggroup/house");
  await aws.iot.send(new CreateThingGroupCommand({ thingGroupName: "house" }));
  for (const thingName of ["room-1", "room-2", "room-3"]) await aws.iot.send(new CreateThingCommand({ thingName }));
  await aws.iot.send(new AddThingToThingGroupCommand({ thingGroupName: "house", thingName: "room-1" }));
  const created = await aws.iot.send(
    new CreateJobCommand({
      jobId: "house-1",
      targets: [groupArn],
      targetSelection: "CONTINUOUS",
      document: reboot,
      description: "all rooms",
      timeoutConfig: { inProgressTimeoutInMinutes: 60 },
      jobExecutionsRolloutConfig: { maximumPerMinute: 100 },
      abortConfig: { criteriaList: [{ failureType: "ALL", action: "CANCEL", thresholdPercentage: 90.5, minNumberOfExecutedThings: 50 }] },
      jobExecutionsRetryConfig: { criteriaList: [{ failureType: "FAILED", numberOfRetries: 2 }] },
    }),
  );
  expect(created).toMatchObject({ jobArn: aws.arn("job/house-1"), jobId: "house-1", description: "all rooms" });
  await expect.poll(async () => (await describe("house-1"))?.jobProcessDetails?.numberOfQueuedThings).toBe(1);
  await aws.iot.send(new AddThingToThingGroupCommand({ thingGroupName: "house", thingName: "room-2" }));
  await expect.poll(async () => (await describe("house-1"))?.jobProcessDetails?.numberOfQueuedThings).toBe(2);
  await aws.iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName: "house", thingName: "room-2" }));
  await expect.poll(async () => (await describe("house-1"))?.jobProcessDetails?.numberOfRemovedThings).toBe(1);
  await aws.iot.send(new AssociateTargetsWithJobCommand({ jobId: "house-1", targets: [thingArn("room-3")] }));
  await expect.poll(async () => (await describe("house-1"))?.jobProcessDetails?.numberOfQueuedThings).toBe(2);
  await aws.iot.send(
    new UpdateJobCommand({ jobId: "house-1", description: "some rooms", timeoutConfig: { inProgressTimeoutInMinutes: 30 } }),
  );
  expect(await describe("house-1")).toMatchObject({
    jobId: "house-1",
    status: "IN_PROGRESS",
    targetSelection: "CONTINUOUS",
    targets: [groupArn, thingArn("room-3")],
    description: "some rooms",
    timeoutConfig: { inProgressTimeoutInMinutes: 30 },
    jobExecutionsRolloutConfig: { maximumPerMinute: 100 },
    abortConfig: { criteriaList: [{ failureType: "ALL", thresholdPercentage: 90.5 }] },
    jobExecutionsRetryConfig: { criteriaList: [{ failureType: "FAILED", numberOfRetries: 2 }] },
  });
  expect((await aws.iot.send(new GetJobDocumentCommand({ jobId: "house-1" }))).document).toBe(reboot);
  const ofGroup = await aws.iot.send(new ListJobsCommand({ thingGroupName: "house", status: "IN_PROGRESS" }));
  expect(ofGroup.jobs?.map(({ jobId }) => jobId)).toEqual(["house-1"]);
  const ofJob = await aws.iot.send(new ListJobExecutionsForJobCommand({ jobId: "house-1", status: "QUEUED" }));
  expect(ofJob.executionSummaries?.map((summary) => summary.thingArn)).toEqual([thingArn("room-1"), thingArn("room-3")]);
  const firstPage = await aws.iot.send(new ListJobExecutionsForJobCommand({ jobId: "house-1", maxResults: 2 }));
  expect(firstPage.executionSummaries).toHaveLength(2);
  const lastPage = await aws.iot.send(
    new ListJobExecutionsForJobCommand({ jobId: "house-1", maxResults: 2, nextToken: firstPage.nextToken }),
  );
  expect(lastPage).toMatchObject({ executionSummaries: [{ thingArn: thingArn("room-3") }] });

  await data.send(new StartNextPendingJobExecutionCommand({ thingName: "room-1" }));
  const own = { jobId: "house-1", thingName: "room-1" };
  await expect(aws.iot.send(new CancelJobExecutionCommand(own))).rejects.toMatchObject({ name: "InvalidStateTransitionException" });
  await aws.iot.send(new CancelJobExecutionCommand({ ...own, force: true, expectedVersion: 2, statusDetails: { why: "late" } }));
  expect((await aws.iot.send(new DescribeJobExecutionCommand(own))).execution).toMatchObject({
    status: "CANCELED",
    forceCanceled: true,
    statusDetails: { detailsMap: { why: "late" } },
    thingArn: thingArn("room-1"),
  });
  await aws.iot.send(new DeleteJobExecutionCommand({ ...own, executionNumber: 1 }));
  expect((await aws.iot.send(new ListJobExecutionsForThingCommand({ thingName: "room-1" }))).executionSummaries).toEqual([]);

  await expect(aws.iot.send(new DeleteJobCommand({ jobId: "house-1" }))).rejects.toMatchObject({ name: "InvalidStateTransitionException" });
  await aws.iot.send(new CancelJobCommand({ jobId: "house-1", reasonCode: "ENOUGH", comment: "no more" }));
  await expect.poll(async () => (await describe("house-1"))?.jobProcessDetails?.numberOfCanceledThings).toBe(1);
  expect(await describe("house-1")).toMatchObject({ status: "CANCELED", reasonCode: "ENOUGH", comment: "no more" });
  await aws.iot.send(new DeleteJobCommand({ jobId: "house-1" }));
  await expect(describe("house-1")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("16 what cannot be is refused by name", async () => {
  await aws.iot.send(new CreateThingCommand({ thingName: "plain" }));
  await createJob("plain-1", "plain");
  await expect(createJob("plain-1", "plain")).rejects.toMatchObject({
    name: "ResourceAlreadyExistsException",
    resourceId: "plain-1",
    resourceArn: aws.arn("job/plain-1"),
  });
  await expect(createJob("plain-2", "nobody")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await expect(createJob("plain-2", "", { targets: [aws.arn("thinggroup/nowhere")] })).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  await expect(createJob("plain-2", "plain", { document: "no json" })).rejects.toMatchObject({ name: "InvalidRequestException" });
  await expect(
    createJob("plain-2", "plain", { document: undefined, documentSource: "https://s3.amazonaws.com/b/k" }),
  ).rejects.toMatchObject({
    name: "InvalidRequestException",
    message: expect.stringContaining("https://s3.amazonaws.com/b/k"),
  });
  await expect(createJob("plain-2", "plain", { targets: ["plain"] })).rejects.toMatchObject({ name: "InvalidRequestException" });
  await expect(aws.iot.send(new ListJobsCommand({ nextToken: "???" }))).rejects.toMatchObject({ name: "InvalidRequestException" });
});

test("16 a template makes jobs", async () => {
  const template = {
    jobTemplateId: "restart",
    description: "restarts a lamp",
    document: reboot,
    timeoutConfig: { inProgressTimeoutInMinutes: 7 },
  };
  const { jobTemplateArn } = await aws.iot.send(new CreateJobTemplateCommand(template));
  await expect(aws.iot.send(new CreateJobTemplateCommand(template))).rejects.toMatchObject({ name: "ConflictException" });
  expect(await aws.iot.send(new DescribeJobTemplateCommand({ jobTemplateId: "restart" }))).toMatchObject(template);
  await aws.iot.send(new CreateThingCommand({ thingName: "templated" }));
  await createJob("templated-1", "templated", { document: undefined, jobTemplateArn });
  expect(await describe("templated-1")).toMatchObject({
    description: "restarts a lamp",
    jobTemplateArn,
    timeoutConfig: { inProgressTimeoutInMinutes: 7 },
  });
});

test("12.3 events tell of jobs and executions once they are switched on", async () => {
  const device = await aws.createDevice({ thingName: "event-lamp" });
  const { client, heard } = await connect(device, "event-watcher");
  await client.subscribeAsync(["$aws/events/job/#", "$aws/events/jobExecution/#"], { qos: 1 });
  await createJob("silent-1", "event-lamp");
  await data.send(new UpdateJobExecutionCommand({ thingName: "event-lamp", jobId: "silent-1", status: "SUCCEEDED" }));
  await expect.poll(async () => (await describe("silent-1"))?.status).toBe("COMPLETED");
  const eventConfigurations = { JOB: { Enabled: true }, JOB_EXECUTION: { Enabled: true } };
  await aws.iot.send(new UpdateEventConfigurationsCommand({ eventConfigurations }));
  await createJob("event-1", "event-lamp");
  await data.send(
    new UpdateJobExecutionCommand({ thingName: "event-lamp", jobId: "event-1", status: "REJECTED", statusDetails: { a: "b" } }),
  );
  await expect.poll(() => heard.length).toBe(2);
  expect(heard).toEqual([
    {
      topic: "$aws/events/jobExecution/event-1/rejected",
      payload: expect.objectContaining({
        eventType: "JOB_EXECUTION",
        operation: "rejected",
        jobId: "event-1",
        thingArn: thingArn("event-lamp"),
        status: "REJECTED",
        statusDetails: { a: "b" },
      }),
    },
    {
      topic: "$aws/events/job/event-1/completed",
      payload: expect.objectContaining({
        eventType: "JOB",
        operation: "completed",
        jobId: "event-1",
        status: "COMPLETED",
        targets: [thingArn("event-lamp")],
      }),
    },
  ]);
});

test("12.1 what was answered outlives a crash of the server, its timer too", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "thingstead-aws-jobs-"));
  closers.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const crashing = await startAwsFixture({ dataDir });
  closers.push(() => crashing.remove());
  const thingName = "tough-lamp";
  await crashing.iot.send(new CreateThingCommand({ thingName }));
  const targets = [crashing.arn(`thing/${thingName}`)];
  for (const jobId of ["tough-1", "tough-2"]) await crashing.iot.send(new CreateJobCommand({ jobId, targets, document: reboot }));
  const before = new IoTJobsDataPlaneClient(crashing.clientOptions());
  closers.push(() => before.destroy());
  await before.send(new StartNextPendingJobExecutionCommand({ thingName, statusDetails: { step: "1" }, stepTimeoutInMinutes: 10 }));
  await crashing.server.kill();

  const again = await startAwsFixture({ dataDir });
  closers.push(() => again.remove());
  const after = new IoTJobsDataPlaneClient(again.clientOptions());
  closers.push(() => after.destroy());
  const { execution } = await after.send(new DescribeOwnExecutionCommand({ thingName, jobId: "$next" }));
  expect(execution).toMatchObject({ jobId: "tough-1", status: "IN_PROGRESS", statusDetails: { step: "1" }, versionNumber: 2 });
  expect(execution?.approximateSecondsBeforeTimedOut).toBeGreaterThan(500);
  const { queuedJobs } = await after.send(new GetPendingJobExecutionsCommand({ thingName }));
  expect(queuedJobs?.map(({ jobId }) => jobId)).toEqual(["tough-2"]);
});
