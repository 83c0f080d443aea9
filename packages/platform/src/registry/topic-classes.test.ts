import { beforeEach, describe, expect, test } from "vitest";
import { code, useBench } from "./testing/bench.ts";

const bench = useBench();

describe("topic classes", () => {
  beforeEach(async () => {
    await bench.registry.createProduct({ name: "p", productKey: "ymXuzyfmuQb", topicStyle: "none" });
    bench.changes = [];
  });
  const own = "/${productKey}/${deviceName}/";

  test.each([
    ["data", "ALL", `${own}data`],
    ["update/error", "PUB", `${own}update/error`],
    ["user/x", "PUB", `${own}user/x`],
    [`${own}user/get`, "SUB", `${own}user/get`],
    ["/ymXuzyfmuQb/${deviceName}/relay", "SUB", `${own}relay`],
    ["user/+/x", "SUB", `${own}user/+/x`],
    ["#", "SUB", `${own}#`],
    ["1/2/3/4/5", "PUB", `${own}1/2/3/4/5`],
    ["mqtt:topic/esp32at", "ALL", "topic/esp32at"],
    ["mqtt:rooms/+/#", "SUB", "rooms/+/#"],
    ["$aws/things/${deviceName}/shadow/update", "PUB", "$aws/things/${deviceName}/shadow/update"],
    ["$aws/things/+/shadow/name/x/update/accepted", "SUB", "$aws/things/+/shadow/name/x/update/accepted"],
  ] as const)("4.2: %s with %s", async (topic, operation, template) => {
    const made = await bench.registry.createTopicClass("ymXuzyfmuQb", { topic, operation });
    expect(made).toMatchObject({ template, operation });
    expect(await bench.registry.listTopicClasses("ymXuzyfmuQb")).toEqual([made]);
    expect(bench.changes).toEqual([{ kind: "topics.changed", productKey: "ymXuzyfmuQb" }]);
  });

  test.each([
    ["", "PUB"],
    ["a//b", "PUB"],
    ["a/", "PUB"],
    ["a-b", "PUB"],
    ["数据", "PUB"],
    ["a b", "PUB"],
    ["user/+", "PUB"],
    ["user/#", "ALL"],
    ["user/#/x", "SUB"],
    ["user/x+", "SUB"],
    ["user/x#", "SUB"],
    ["/sys/${productKey}/${deviceName}/x", "PUB"],
    ["/other/${deviceName}/x", "PUB"],
    ["/${productKey}/x", "PUB"],
    ["1/2/3/4/5/6", "PUB"],
    ["mqtt:", "PUB"],
    ["mqtt:#", "SUB"],
    ["mqtt:+/x", "SUB"],
    ["mqtt:/other/device/x", "SUB"],
    ["mqtt:${deviceName}/x", "PUB"],
    ["mqtt:a/+", "PUB"],
    ["mqtt:a//b", "PUB"],
    ["$aws/things/+/shadow/update", "PUB"],
    ["x".repeat(103), "PUB"],
  ] as const)("4.2: refuses %j with %s", async (topic, operation) => {
    await expect(bench.registry.createTopicClass("ymXuzyfmuQb", { topic, operation })).rejects.toEqual(code("registry.invalid_topic"));
    expect(await bench.registry.listTopicClasses("ymXuzyfmuQb")).toEqual([]);
  });

  test("refuses an unknown operation, a duplicate, and more than the limit", async () => {
    bench.registry = bench.make({ topicClassesPerProductMax: 2 });
    const create = (topic: string, operation: "PUB" | "SUB" | "ALL" = "PUB") =>
      bench.registry.createTopicClass("ymXuzyfmuQb", { topic, operation });
    await expect(create("x", "BOTH" as "ALL")).rejects.toEqual(code("registry.invalid_operation"));
    await create("x");
    await expect(create(`${own}x`, "SUB")).rejects.toEqual(code("registry.topic_class_taken"));
    const race = await Promise.allSettled([create("y"), create("z")]);
    expect(race.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected"]);
    await expect(create("z")).rejects.toEqual(code("registry.too_many_topic_classes"));
    await expect(bench.registry.createTopicClass("none", { topic: "x", operation: "PUB" })).rejects.toEqual(
      code("registry.product_not_found"),
    );
  });

  test("changes a class: sessions hear of it, and what another class has is refused", async () => {
    const create = (topic: string) => bench.registry.createTopicClass("ymXuzyfmuQb", { topic, operation: "PUB", description: "kept" });
    const { id } = await create("x");
    await create("y");
    bench.changes.length = 0;
    const changed = await bench.registry.updateTopicClass(id, { topic: "z/+", operation: "SUB" });
    expect(changed).toMatchObject({ id, operation: "SUB", description: "kept", template: expect.stringMatching(/\/z\/\+$/) });
    expect(await bench.registry.listTopicClasses("ymXuzyfmuQb")).toContainEqual(changed);
    expect(bench.changes).toEqual([{ kind: "topics.changed", productKey: "ymXuzyfmuQb" }]);
    await expect(bench.registry.updateTopicClass(id, { topic: "y", operation: "PUB" })).rejects.toEqual(code("registry.topic_class_taken"));
    await expect(bench.registry.updateTopicClass(id, { topic: "+", operation: "PUB" })).rejects.toEqual(code("registry.invalid_topic"));
    await expect(bench.registry.updateTopicClass(99, { topic: "q", operation: "PUB" })).rejects.toEqual(
      code("registry.topic_class_not_found"),
    );
  });

  test("deletes a class once", async () => {
    const { id } = await bench.registry.createTopicClass("ymXuzyfmuQb", { topic: "data", operation: "ALL" });
    await bench.registry.listTopicClasses("ymXuzyfmuQb");
    await bench.registry.deleteTopicClass(id);
    expect(await bench.registry.listTopicClasses("ymXuzyfmuQb")).toEqual([]);
    await expect(bench.registry.deleteTopicClass(id)).rejects.toEqual(code("registry.topic_class_not_found"));
  });
});
