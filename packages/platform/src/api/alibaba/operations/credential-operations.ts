/** Certificates, and clients of devices that registered themselves (reference 1.8.A and 1.8.B). */
import { PlatformError } from "../../../errors/index.ts";
import type { Product, Registry } from "../../../registry/index.ts";
import { defineOperation, type OperationTable, oneOf } from "../operation.ts";
import { findByIotId } from "./device-selector.ts";

const issuers = { 1: "platform", 3: "other" } as const;

export const credentialOperations: OperationTable = {
  QueryClientIds: defineOperation({ IotId: "text" }, async (input, { registry, deviceClients }) => {
    const { productKey, deviceName } = await findByIotId(input.IotId, registry);
    const clients = await deviceClients.list(productKey, deviceName);
    const DynamicRegClientIds = clients.map(({ clientId, createdAt }) => ({ ClientId: clientId, CreateTime: createdAt }));
    return { Data: { IotId: input.IotId, DynamicRegClientIds } };
  }),

  DeleteClientIds: defineOperation({ IotId: "text" }, async (input, { registry, deviceClients }) => {
    const { productKey, deviceName } = await findByIotId(input.IotId, registry);
    await deviceClients.removeAll(productKey, deviceName);
    return {};
  }),

  /** Without `PrivateKey`, which is kept nowhere here, and without `Status`, whose values the vendor does not publish. */
  QueryDeviceCert: defineOperation({ ProductKey: "text", DeviceName: "text" }, async (input, { registry, deviceCertificates }) => {
    await needCertified(input.ProductKey, registry);
    const certificates = await deviceCertificates.list(input.ProductKey, input.DeviceName);
    const latest = certificates.reduce<(typeof certificates)[number] | undefined>(
      (newest, each) => (newest === undefined || each.createdAt >= newest.createdAt ? each : newest),
      undefined,
    );
    if (latest === undefined) throw new PlatformError("access.certificate_not_found", { received: input.DeviceName });
    return { DeviceCertInfo: { CertSN: latest.serialNumber, Certificate: latest.certificate } };
  }),

  SetProductCertInfo: defineOperation({ ProductKey: "text", IssueModel: "integer" }, async (input, { registry }) => {
    await needCertified(input.ProductKey, registry);
    const certificateIssuer = oneOf("IssueModel", input.IssueModel, [1, 3]) === 1 ? issuers[1] : issuers[3];
    await registry.updateProduct(input.ProductKey, { certificateIssuer });
    return {};
  }),

  QueryProductCertInfo: defineOperation({ ProductKey: "text" }, async (input, { registry }) => {
    const { certificateIssuer } = await needCertified(input.ProductKey, registry);
    return { ProductCertInfo: { IssueModel: certificateIssuer === "other" ? 3 : 1 } };
  }),
};

async function needCertified(productKey: string, registry: Registry): Promise<Product> {
  const product = await registry.getProduct(productKey);
  if (product.authType === "x509") return product;
  throw new PlatformError("access.credential_kind", { received: "a certificate", expected: product.authType });
}
