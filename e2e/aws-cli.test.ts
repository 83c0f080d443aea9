/** The vendor's command line, which signs and reads with a library of its own (AWS reference 16 to 18). */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type AwsFixture, awsRegion, startAwsFixture } from "./support/aws-fixture.ts";
import { run } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";

let fixture: AwsFixture;

beforeAll(async () => {
  fixture = await startAwsFixture();
});
afterAll(async () => fixture?.remove());
beforeEach((context) => needProgram(context, "aws"));

/** As its users run it: everything by the environment, nothing of the machine's own configuration. */
const environment = (): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: fixture.server.accessKeyId,
  AWS_SECRET_ACCESS_KEY: fixture.server.accessKeySecret,
  AWS_DEFAULT_REGION: awsRegion,
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_MAX_ATTEMPTS: "1",
  AWS_PAGER: "",
});

/** Older versions know the endpoint by this option alone. */
const aws = (...args: string[]) =>
  run("aws", ["--endpoint-url", `http://127.0.0.1:${fixture.server.httpPort}`, ...args, "--output", "json"], environment());

async function told(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await aws(...args);
  if (code !== 0) throw new Error(`aws ${args.join(" ")}: ${stderr}`);
  return stdout.trim() === "" ? {} : JSON.parse(stdout);
}

test("things by the vendor's command line", async () => {
  const thing = await told("iot", "create-thing", "--thing-name", "cli:1", "--attribute-payload", "attributes={room=hall}");
  expect(thing.thingArn).toBe(fixture.arn("thing/cli:1"));
  // The command line asks for page after page.
  const things = await told("iot", "list-things", "--page-size", "1");
  expect((things.things as { thingName: string }[]).map(({ thingName }) => thingName)).toEqual(["cli:1"]);
});

test("the data plane by the vendor's command line", async () => {
  const file = (name: string) => join(fixture.server.dataDir, name);
  writeFileSync(file("payload"), '{"state":{"desired":{"x":1}}}');
  await told("iot-data", "publish", "--topic", "$aws/things/cli/shadow/update", "--qos", "1", "--payload", `fileb://${file("payload")}`);
  await told("iot-data", "get-thing-shadow", "--thing-name", "cli", file("shadow"));
  expect(JSON.parse(readFileSync(file("shadow"), "utf8")).state.desired).toEqual({ x: 1 });
});

test("17: refusals are told by name and message", async () => {
  const lacking = await aws("iot", "list-security-profiles");
  expect(lacking.stderr).toContain("(NotImplementedException)");
  expect(lacking.stderr).toContain("ListSecurityProfiles is not supported by this server.");
});
