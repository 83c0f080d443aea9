import { describe, expect, test } from "vitest";
import type { PlatformError } from "../errors/index.ts";
import { code, useBench } from "./testing/bench.ts";

const bench = useBench();

describe("products", () => {
  test("1.1: draws a key and a secret in the vendor's format, and takes given ones", async () => {
    const drawn = await bench.registry.createProduct({ name: "lamp" });
    expect(drawn.productKey).toMatch(/^a1[A-Za-z0-9]{9}$/);
    expect(drawn.productSecret).toMatch(/^[A-Za-z0-9]{16}$/);
    const given = await bench.registry.createProduct({ name: "seed", productKey: "ymXuzyfmuQb", productSecret: "s" });
    expect(given).toMatchObject({ productKey: "ymXuzyfmuQb", productSecret: "s", nodeType: "device", dataFormat: 1, topicStyle: "user" });
    expect(bench.changes.map((change) => change.kind)).toEqual(["product.created", "product.created"]);
  });

  test.each([
    [{ name: "" }, "registry.invalid_product_name"],
    [{ name: "   " }, "registry.invalid_product_name"],
    [{ name: "a\u0000" }, "registry.invalid_product_name"],
    [{ name: "a\ud800" }, "registry.invalid_product_name"],
    [{ name: "x".repeat(65) }, "registry.invalid_product_name"],
    [{ name: "ok", productKey: "with-dash" }, "registry.invalid_product_key"],
    [{ name: "ok", productKey: "x".repeat(21) }, "registry.invalid_product_key"],
    [{ name: "ok", productSecret: "x".repeat(65) }, "registry.invalid_product_secret"],
    [{ name: "ok", description: "x".repeat(101) }, "registry.invalid_description"],
    [{ name: "ok", nodeType: "toaster" as "device" }, "registry.invalid_node_type"],
    [{ name: "ok", topicStyle: "other" as "user" }, "registry.invalid_topic_style"],
    [{ name: "ok", dataFormat: 7 as 0 }, "registry.invalid_data_format"],
  ])("refuses %j", async (wish, expected) => {
    await expect(bench.registry.createProduct(wish)).rejects.toEqual(code(expected));
    expect((await bench.registry.listProducts({ page: 1, pageSize: 10 })).total).toBe(0);
    expect(bench.changes).toEqual([]);
  });

  test("a refused secret is not in the error", async () => {
    const secret = `hidden ${"x".repeat(70)}`;
    const error = await bench.registry.createProduct({ name: "ok", productSecret: secret }).catch((caught: PlatformError) => caught);
    expect(JSON.stringify(error) + String(error)).not.toContain("hidden");
  });

  test("refuses taken keys and names, and more than the limit", async () => {
    bench.registry = bench.make({ productsMax: 2 });
    await bench.registry.createProduct({ name: "one", productKey: "a1" });
    await expect(bench.registry.createProduct({ name: "two", productKey: "a1" })).rejects.toEqual(code("registry.product_key_taken"));
    await expect(bench.registry.createProduct({ name: "one" })).rejects.toEqual(code("registry.product_name_taken"));
    const race = await Promise.allSettled([bench.registry.createProduct({ name: "b" }), bench.registry.createProduct({ name: "c" })]);
    expect(race.map((outcome) => outcome.status)).toEqual(["fulfilled", "rejected"]);
    await expect(bench.registry.createProduct({ name: "d" })).rejects.toEqual(code("registry.too_many_products"));
  });

  test("4.2: the default topic classes follow the topic style", async () => {
    const classes = async (topicStyle: "user" | "legacy" | "none") => {
      const { productKey } = await bench.registry.createProduct({ name: topicStyle, topicStyle });
      return (await bench.registry.listTopicClasses(productKey)).map((row) => `${row.operation} ${row.template}`);
    };
    const own = "/${productKey}/${deviceName}";
    expect(await classes("user")).toEqual([`PUB ${own}/user/update`, `PUB ${own}/user/update/error`, `SUB ${own}/user/get`]);
    expect(await classes("legacy")).toEqual([`PUB ${own}/update`, `PUB ${own}/update/error`, `SUB ${own}/get`]);
    expect(await classes("none")).toEqual([]);
  });

  test("updates and deletes, but not while devices exist", async () => {
    await bench.registry.createProduct({ name: "one", productKey: "a1" });
    await bench.registry.createProduct({ name: "two", productKey: "b1" });
    await expect(bench.registry.updateProduct("a1", { name: "two" })).rejects.toEqual(code("registry.product_name_taken"));
    expect(await bench.registry.updateProduct("a1", { name: "new", description: "d" })).toMatchObject({ name: "new", description: "d" });
    expect(await bench.registry.findProduct("a1")).toMatchObject({ name: "new" });
    await bench.registry.createDevice("a1", { deviceName: "lamp" });
    expect(await bench.registry.getProduct("a1")).toMatchObject({ deviceCount: 1 });
    await expect(bench.registry.deleteProduct("a1")).rejects.toEqual(code("registry.product_has_devices"));
    await bench.registry.deleteDevice("a1", "lamp");
    await bench.registry.deleteProduct("a1");
    expect(await bench.registry.findProduct("a1")).toBeUndefined();
    for (const gone of [bench.registry.getProduct("a1"), bench.registry.deleteProduct("a1"), bench.registry.listTopicClasses("a1")]) {
      await expect(gone).rejects.toEqual(code("registry.product_not_found"));
    }
  });
});
