/** Devices made of the vendor's own SDKs, unmodified but for the broker's address. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFixture, type Fixture } from "./support/fixture.ts";
import { type ProgramProcess, startProgram } from "./support/program-process.ts";
import { restClient } from "./support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
const running: ProgramProcess[] = [];

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(async () => {
  for (const program of running) program.kill();
  await server.remove();
});

const json = (line: string) => {
  try {
    return JSON.parse(line) as { event: string; topic?: string; payload?: string; error?: string; granted?: { qos: number }[] };
  } catch {
    return { event: "text" };
  }
};

function startVendorDevice(sdk: string, fixture: Fixture, scheme: "tcp" | "mqtts", secret = fixture.deviceSecret): ProgramProcess {
  const program = startProgram(
    process.execPath,
    [
      "e2e/programs/vendor-device.mjs",
      sdk,
      `${scheme}://localhost:${server.devicePort}/`,
      fixture.productKey,
      fixture.deviceName,
      secret,
      fixture.topic("data"),
    ],
    { NODE_EXTRA_CA_CERTS: server.caFile },
  );
  running.push(program);
  return program;
}

describe.each(["alibabacloud-iot-device-sdk", "aliyun-iot-device-sdk"])("%s", (sdk) => {
  test.each(["tcp", "mqtts"] as const)("connects over %s, hears its own message and the forwarded one, obeys the cloud", async (scheme) => {
    const fixture = await createFixture(rest, { withRule: true });
    const device = startVendorDevice(sdk, fixture, scheme);
    await device.line("connect", (line) => json(line).event === "connect");
    const subscribed = json(await device.line("subscribed", (line) => json(line).event === "subscribed"));
    expect(subscribed.error).toBeUndefined();
    expect(subscribed.granted?.[0]?.qos).toBeLessThan(2);
    await device.line("published", (line) => json(line).event === "published");
    // The publisher hears itself on an ALL topic, byte for byte.
    await device.line("echo", (line) => json(line).payload === '{"attr_name":"temperature", "attr_value":"0"}');
    await until("status ONLINE", async () => {
      const { body } = await rest("GET", `/products/${fixture.productKey}/devices/${fixture.deviceName}`);
      return body.status === "ONLINE";
    });
    const sent = await rest("POST", `/products/${fixture.productKey}/devices/${fixture.deviceName}/messages`, {
      topic: fixture.topic("data"),
      payload: "This message comes from the cloud",
      qos: 0,
    });
    expect(sent.body).toMatchObject({ delivered: 1 });
    await device.line("message from the cloud", (line) => json(line).payload === "This message comes from the cloud");
    await device.end();
    await until("status OFFLINE", async () => {
      const { body } = await rest("GET", `/products/${fixture.productKey}/devices/${fixture.deviceName}`);
      return body.status === "OFFLINE";
    });
  });

  test("a wrong secret is refused and the log shows the text that we signed", async () => {
    const fixture = await createFixture(rest);
    const device = startVendorDevice(sdk, fixture, "tcp", "0123456789abcdef0123456789abcdef");
    await device.line("refusal", (line) => json(line).event === "close" || json(line).event === "error");
    const entry = await until("refusal in the log", async () => {
      const { body } = await rest("GET", `/device-log?productKey=${fixture.productKey}&code=access.signature_mismatch`);
      return body.items[0];
    });
    expect(entry).toMatchObject({ kind: "refuse", deviceName: fixture.deviceName, isSuccess: false });
    expect(entry.expected).toContain(`deviceName${fixture.deviceName}productKey${fixture.productKey}timestamp`);
    expect(JSON.stringify(entry)).not.toContain(fixture.deviceSecret);
    device.kill();
  });
});
