/** Tags of devices and products (reference 1.8.A, 1.8.B). */
import { PlatformError } from "../../../errors/index.ts";
import type { TagMap } from "../../../registry/index.ts";
import { defineOperation, memberOf, type OperationPorts, type OperationTable, pageCount, readPage, type Struct } from "../operation.ts";
import { deviceSelector, findSelectedDevice } from "./device-selector.ts";

const page = { CurrentPage: "integer?", PageSize: "integer?" } as const;
const entriesUsual = 10;

export const tagOperations: OperationTable = {
  SaveDeviceProp: defineOperation({ ...deviceSelector, Props: "text" }, async (input, { registry, tags, limits }) => {
    const { productKey, deviceName } = await findSelectedDevice(input, registry);
    await tags.setDeviceTags(productKey, deviceName, readProps(input.Props, limits.propsBytesMax));
    return {};
  }),

  QueryDeviceProp: defineOperation(deviceSelector, async (input, { registry, tags }) => {
    const { productKey, deviceName } = await findSelectedDevice(input, registry);
    return { Props: JSON.stringify(await tags.deviceTags(productKey, deviceName)) };
  }),

  DeleteDeviceProp: defineOperation({ ...deviceSelector, PropKey: "text" }, async (input, { registry, tags }) => {
    const { productKey, deviceName } = await findSelectedDevice(input, registry);
    await tags.deleteDeviceTags(productKey, deviceName, [input.PropKey]);
    return {};
  }),

  QueryDeviceByTags: defineOperation({ Tag: "structs", ...page }, async (input, { registry, tags, limits }) => {
    const wanted = readPage(input.CurrentPage ?? 1, input.PageSize ?? entriesUsual, limits.searchPageEntriesMax);
    const { items, total } = await tags.devicesByTags(readTags("Tag", input.Tag, limits.tagsPerCallMax), wanted);
    const names = new Map<string, string>();
    const SimpleDeviceInfo = [];
    for (const { productKey, deviceName, iotId } of items) {
      const ProductName = names.get(productKey) ?? (await registry.getProduct(productKey)).name;
      names.set(productKey, ProductName);
      SimpleDeviceInfo.push({ DeviceName: deviceName, IotId: iotId, ProductKey: productKey, ProductName });
    }
    return {
      Data: { SimpleDeviceInfo },
      Page: wanted.page,
      PageSize: wanted.pageSize,
      PageCount: pageCount(total, wanted.pageSize),
      Total: total,
    };
  }),

  CreateProductTags: defineOperation({ ProductKey: "text", ProductTag: "structs" }, saveProductTags),
  UpdateProductTags: defineOperation({ ProductKey: "text", ProductTag: "structs" }, saveProductTags),

  DeleteProductTags: defineOperation({ ProductKey: "text", ProductTagKey: "list" }, async ({ ProductKey, ProductTagKey }, { tags }) => {
    await tags.deleteProductTags(ProductKey, ProductTagKey);
    return {};
  }),

  ListProductTags: defineOperation({ ProductKey: "text" }, async ({ ProductKey }, { tags }) => {
    const ProductTag = Object.entries(await tags.productTags(ProductKey)).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    return { Data: { ProductTag } };
  }),

  ListProductByTags: defineOperation({ ProductTag: "structs", ...page }, async (input, { registry, tags, limits }) => {
    const wanted = readPage(input.CurrentPage ?? 1, input.PageSize ?? entriesUsual, limits.searchPageEntriesMax);
    const { items } = await tags.productsByTags(readTags("ProductTag", input.ProductTag, limits.tagsPerCallMax), wanted);
    const products = await Promise.all(items.map((productKey) => registry.getProduct(productKey)));
    const ProductInfo = products.map(({ productKey, name, description, nodeType, createdAt }) => ({
      ProductKey: productKey,
      ProductName: name,
      Description: description,
      NodeType: nodeType === "gateway" ? 1 : 0,
      CreateTime: createdAt,
    }));
    return { ProductInfos: { ProductInfo } };
  }),
};

async function saveProductTags(
  { ProductKey, ProductTag }: { readonly ProductKey: string; readonly ProductTag: Struct[] },
  { tags, limits }: OperationPorts,
) {
  await tags.setProductTags(ProductKey, readTags("ProductTag", ProductTag, limits.tagsPerCallMax));
  return {};
}

function readTags(list: string, structs: readonly Struct[], tagsMax: number): TagMap {
  if (structs.length > tagsMax) throw new PlatformError("alibaba.too_many_tags", { received: structs.length, expected: tagsMax });
  return Object.fromEntries(structs.map((struct) => [memberOf(list, struct, "TagKey"), memberOf(list, struct, "TagValue")]));
}

/** A text with a JSON object of texts; numbers and truth values are taken as the texts they look like. */
function readProps(text: string, bytesMax: number): TagMap {
  const bytes = Buffer.byteLength(text);
  if (bytes > bytesMax) throw new PlatformError("alibaba.properties_too_long", { received: bytes, expected: bytesMax });
  const refuse = () => new PlatformError("alibaba.properties_not_json", { received: text.slice(0, 200) });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse();
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse();
  return Object.fromEntries(
    Object.entries(value).map(([key, tag]: [string, unknown]) => {
      if (typeof tag === "object") throw refuse();
      return [key, String(tag)];
    }),
  );
}
