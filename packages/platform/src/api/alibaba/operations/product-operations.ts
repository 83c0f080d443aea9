/** Products (reference 1.8.A). */
import { PlatformError } from "../../../errors/index.ts";
import type { NewProduct, Product } from "../../../registry/index.ts";
import { defineOperation, type OperationTable, oneOf, pageCount, readPage } from "../operation.ts";

const nodeTypes: readonly Product["nodeType"][] = ["device", "gateway"];

export const productOperations: OperationTable = {
  CreateProduct: defineOperation(
    {
      NodeType: "integer",
      ProductName: "text",
      AliyunCommodityCode: "text?",
      DataFormat: "integer?",
      Description: "text?",
      AuthType: "text?",
      Id2: "unsupported",
      JoinPermissionId: "unsupported",
      ProtocolType: "unsupported",
    },
    async (input, { registry }) => {
      const nodeType = nodeTypes[input.NodeType];
      if (nodeType === undefined) throw new PlatformError("alibaba.node_type_invalid", { received: input.NodeType });
      if (input.AuthType) oneOf("AuthType", input.AuthType, ["secret"]);
      const product: NewProduct = {
        name: input.ProductName,
        nodeType,
        // Products that this API makes get the vendor's newer automatic topic classes.
        topicStyle: "user",
        dataFormat: readDataFormat(input.AliyunCommodityCode, input.DataFormat),
      };
      if (input.Description !== undefined) product.description = input.Description;
      const created = await registry.createProduct(product);
      const { productKey, productSecret } = created;
      return { ProductKey: productKey, Data: { ...showIdentity(created), ...showKind(created), Id2: false, ProductSecret: productSecret } };
    },
  ),

  QueryProduct: defineOperation({ ProductKey: "text" }, async (input, { registry }) => {
    const product = await registry.getProduct(input.ProductKey);
    return {
      Data: {
        ...showIdentity(product),
        ...showKind(product),
        DeviceCount: product.deviceCount,
        GmtCreate: product.createdAt,
        Id2: false,
        Owner: true,
        // The vendor hands the secret out here in clear, and its clients rely on that.
        ProductSecret: product.productSecret,
        ProductStatus: product.isReleased === true ? "RELEASE_STATUS" : "DEVELOPMENT_STATUS",
      },
    };
  }),

  QueryProductList: defineOperation(
    { CurrentPage: "integer", PageSize: "integer", AliyunCommodityCode: "text?" },
    async (input, { registry, limits }) => {
      const { page, pageSize } = readPage(input.CurrentPage, input.PageSize, limits.productPageEntriesMax);
      const code = input.AliyunCommodityCode;
      const found = await registry.listProducts({ page, pageSize }, code ? { dataFormat: readDataFormat(code, undefined) } : {});
      const ProductInfo = found.items.map((product) => ({
        ...showIdentity(product),
        AuthType: product.authType,
        DataFormat: product.dataFormat,
        NodeType: nodeTypes.indexOf(product.nodeType),
        DeviceCount: product.deviceCount,
        GmtCreate: product.createdAt,
      }));
      const { total } = found;
      return {
        Data: { CurrentPage: page, PageSize: pageSize, PageCount: pageCount(total, pageSize), Total: total, List: { ProductInfo } },
      };
    },
  ),

  UpdateProduct: defineOperation({ ProductKey: "text", ProductName: "text", Description: "text?" }, async (input, { registry }) => {
    const change: { name: string; description?: string } = { name: input.ProductName };
    if (input.Description !== undefined) change.description = input.Description;
    await registry.updateProduct(input.ProductKey, change);
    return {};
  }),

  ReleaseProduct: defineOperation({ ProductKey: "text" }, async (input, { registry }) => {
    await registry.updateProduct(input.ProductKey, { isReleased: true });
    return {};
  }),

  CancelReleaseProduct: defineOperation({ ProductKey: "text" }, async (input, { registry }) => {
    await registry.updateProduct(input.ProductKey, { isReleased: false });
    return {};
  }),

  DeleteProduct: defineOperation({ ProductKey: "text" }, async (input, { registry }) => {
    await registry.deleteProduct(input.ProductKey);
    return {};
  }),
};

/** Products with a thing model say how their payload is written; basic ones carry raw bytes. */
function readDataFormat(commodityCode: string | undefined, dataFormat: number | undefined): 0 | 1 {
  switch (commodityCode) {
    case undefined:
    case "":
    case "iothub":
      return 0;
    case "iothub_senior":
      return dataFormat === undefined ? 1 : oneOf("DataFormat", dataFormat, [0, 1]) === 1 ? 1 : 0;
    default:
      throw new PlatformError("alibaba.commodity_code_invalid", { received: commodityCode });
  }
}

function showIdentity({ productKey, name, description }: Product) {
  return { ProductKey: productKey, ProductName: name, Description: description };
}

function showKind({ nodeType, dataFormat, authType }: Product) {
  return {
    NodeType: nodeTypes.indexOf(nodeType),
    DataFormat: dataFormat,
    AuthType: authType,
    AliyunCommodityCode: dataFormat === 1 ? "iothub_senior" : "iothub",
  };
}
