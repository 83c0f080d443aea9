/** The fleet index as the vendor's client searches it (AWS reference, 16). */
import {
  AddThingToThingGroupCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  CreateThingTypeCommand,
  DescribeIndexCommand,
  GetIndexingConfigurationCommand,
  GetThingConnectivityDataCommand,
  ListIndicesCommand,
  SearchIndexCommand,
  UpdateIndexingConfigurationCommand,
} from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, UpdateThingShadowCommand } from "@aws-sdk/client-iot-data-plane";
import mqtt from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AwsFixture, startAwsFixture } from "./support/aws-fixture.ts";
import { until } from "./support/until.ts";

let aws: AwsFixture;
let data: IoTDataPlaneClient;

beforeAll(async () => {
  aws = await startAwsFixture();
  data = new IoTDataPlaneClient(aws.clientOptions());
  await aws.iot.send(new CreateThingTypeCommand({ thingTypeName: "lamp" }));
  await aws.iot.send(new CreateThingGroupCommand({ thingGroupName: "floor1" }));
  for (const number of [1, 2, 3, 4, 5]) {
    const thingName = `lamp-${number}`;
    const attributes = { model: `1.${number}`, color: number % 2 === 0 ? "red" : "blue" };
    await aws.iot.send(new CreateThingCommand({ thingName, thingTypeName: "lamp", attributePayload: { attributes } }));
    const state = { reported: { battery: number * 20, on: number > 3 }, desired: { on: true } };
    await data.send(new UpdateThingShadowCommand({ thingName, payload: Buffer.from(JSON.stringify({ state })) }));
  }
  await aws.iot.send(new AddThingToThingGroupCommand({ thingName: "lamp-2", thingGroupName: "floor1" }));
  await data.send(
    new UpdateThingShadowCommand({ thingName: "lamp-5", shadowName: "cfg", payload: Buffer.from('{"state":{"reported":{"rate":7}}}') }),
  );
});
afterAll(async () => {
  data?.destroy();
  await aws?.remove();
});

async function search(queryString: string): Promise<string[]> {
  const { things = [] } = await aws.iot.send(new SearchIndexCommand({ queryString }));
  return things.map(({ thingName }) => thingName ?? "");
}

test("off at first; then registry, shadows and connections are searched", async () => {
  expect((await aws.iot.send(new GetIndexingConfigurationCommand())).thingIndexingConfiguration?.thingIndexingMode).toBe("OFF");
  await expect(search("*")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await aws.iot.send(
    new UpdateIndexingConfigurationCommand({
      thingIndexingConfiguration: {
        thingIndexingMode: "REGISTRY_AND_SHADOW",
        thingConnectivityIndexingMode: "STATUS",
        namedShadowIndexingMode: "ON",
        filter: { namedShadowNames: ["cfg"] },
      },
    }),
  );
  expect((await aws.iot.send(new ListIndicesCommand())).indexNames).toEqual(["AWS_Things"]);
  expect(await aws.iot.send(new DescribeIndexCommand({ indexName: "AWS_Things" }))).toMatchObject({
    indexStatus: "ACTIVE",
    schema: "REGISTRY_AND_SHADOW_AND_CONNECTIVITY_STATUS",
  });

  expect(await search("*")).toEqual(["lamp-1", "lamp-2", "lamp-3", "lamp-4", "lamp-5"]);
  expect(await search("thingName:lamp-1 OR attributes.color:red")).toEqual(["lamp-1", "lamp-2", "lamp-4"]);
  expect(await search("thingTypeName:LAMP AND NOT attributes.color:red")).toEqual(["lamp-1", "lamp-3", "lamp-5"]);
  expect(await search("thingGroupNames:floor1")).toEqual(["lamp-2"]);
  expect(await search("shadow.reported.battery:[40 TO 80} shadow.hasDelta:true")).toEqual(["lamp-2", "lamp-3"]);
  expect(await search("shadow.name.cfg.reported.rate>5")).toEqual(["lamp-5"]);
  expect(await search("attributes.model:[1.2 TO 1.3]")).toEqual(["lamp-2", "lamp-3"]);
  await expect(search("thingName:(a")).rejects.toMatchObject({ name: "InvalidQueryException" });

  const first = await aws.iot.send(new SearchIndexCommand({ queryString: "attributes.color:blue", maxResults: 2 }));
  expect(first.things?.map(({ thingName }) => thingName)).toEqual(["lamp-1", "lamp-3"]);
  const rest = await aws.iot.send(
    new SearchIndexCommand({ queryString: "attributes.color:blue", maxResults: 2, nextToken: first.nextToken }),
  );
  expect(rest.things?.map(({ thingName }) => thingName)).toEqual(["lamp-5"]);
  expect(rest.nextToken).toBeUndefined();
  expect(rest.things?.[0]).toMatchObject({ thingTypeName: "lamp", attributes: { color: "blue", model: "1.5" }, thingGroupNames: [] });
  expect(JSON.parse(rest.things?.[0]?.shadow ?? "")).toMatchObject({
    reported: { battery: 100 },
    hasDelta: false,
    name: { cfg: { reported: { rate: 7 } } },
  });
});

test("who is connected, and who went", async () => {
  const device = await aws.createDevice();
  const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${aws.server.devicePort}`, {
    ca: aws.server.ca,
    servername: "localhost",
    cert: device.certificatePem,
    key: device.privateKeyPem,
    clientId: "lamp-3",
    keepalive: 50,
    reconnectPeriod: 0,
  });
  expect(await search("connectivity.connected:true")).toEqual(["lamp-3"]);
  const connectivity = () => aws.iot.send(new GetThingConnectivityDataCommand({ thingName: "lamp-3", includeSocketInformation: true }));
  expect(await connectivity()).toMatchObject({
    connected: true,
    clientId: "lamp-3",
    keepAliveDuration: 50,
    sourceIp: "127.0.0.1",
    timestamp: expect.any(Date),
  });
  await client.endAsync();
  await until("gone", async () => (await connectivity()).connected === false);
  expect((await connectivity()).disconnectReason).toBe("CLIENT_INITIATED_DISCONNECT");
  expect(await search("connectivity.disconnectReason:client_initiated*")).toEqual(["lamp-3"]);
  await expect(aws.iot.send(new GetThingConnectivityDataCommand({ thingName: "lamp-1" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});
