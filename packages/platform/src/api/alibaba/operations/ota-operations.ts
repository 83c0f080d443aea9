/** Packages and modules of firmware (reference 1.8.M). */
import { PlatformError } from "../../../errors/index.ts";
import { defaultModule, type NewPackage, type OtaPackage, type PackageStatus } from "../../../ota/index.ts";
import { defineOperation, memberOf, type OperationPorts, type OperationTable, oneOf, pageCount, readPage } from "../operation.ts";
import { formatUtc } from "../vendor-times.ts";
import { deviceSelector, findSelectedDevice } from "./device-selector.ts";

export const otaPage = { CurrentPage: "integer", PageSize: "integer" } as const;
export const uploadSuffixes = ["bin", "dav", "apk", "tar", "gz", "tar.gz", "zip", "gzip"] as const;
const statusNumbers: Readonly<Record<PackageStatus, number>> = { exempt: -1, unverified: 0, verified: 1, verifying: 2, failed: 3 };

export const otaOperations: OperationTable = {
  GenerateOTAUploadURL: defineOperation({ FileSuffix: "text?" }, async ({ FileSuffix }, { firmwareUploads, origin }) => {
    const form = firmwareUploads.issue(origin, oneOf("FileSuffix", FileSuffix || "bin", uploadSuffixes), "ota");
    return {
      Data: {
        Host: form.host,
        Key: form.key,
        OSSAccessKeyId: form.accessKeyId,
        Policy: form.policy,
        Signature: form.signature,
        FirmwareUrl: form.firmwareUrl,
        UtcCreate: formatUtc(form.createdAt),
      },
    };
  }),

  CreateOTAFirmware: defineOperation(
    {
      ProductKey: "text",
      FirmwareName: "text",
      DestVersion: "text",
      FirmwareUrl: "text?",
      FirmwareDesc: "text?",
      FirmwareSign: "text?",
      FirmwareSize: "integer?",
      ModuleName: "text?",
      MultiFiles: "structs?",
      NeedToVerify: "boolean?",
      SignMethod: "text?",
      SrcVersion: "text?",
      Type: "integer?",
      Udi: "text?",
    },
    async (input, { ota, firmwareUploads }) => {
      const announced = {
        url: input.FirmwareUrl,
        name: undefined as string | undefined,
        sign: input.FirmwareSign,
        bytes: input.FirmwareSize,
      };
      const sources =
        input.MultiFiles.length === 0
          ? [announced]
          : input.MultiFiles.map((file) => ({
              url: memberOf("MultiFiles", file, "Url"),
              name: file.name,
              sign: file.signvalue,
              bytes: file.size === undefined ? undefined : Number(file.size),
            }));
      const files: NewPackage["files"][number][] = [];
      for (const { url, name, sign, bytes } of sources) {
        if (!url) throw new PlatformError("alibaba.missing_parameter", { parameter: "FirmwareUrl" });
        const { id } = await firmwareUploads.find(url);
        files.push({
          id,
          ...(name ? { name } : {}),
          ...(sign ? { expectedSign: sign } : {}),
          ...(bytes === undefined ? {} : { expectedBytes: bytes }),
        });
      }
      const { id, createdAt } = await ota.packages.create({
        productKey: input.ProductKey,
        name: input.FirmwareName,
        version: input.DestVersion,
        files,
        kind: oneOf("Type", input.Type ?? 0, [0, 1]) === 1 ? "differential" : "full",
        signMethod: readSignMethod(input.SignMethod),
        needsVerification: input.NeedToVerify !== false,
        ...(input.FirmwareDesc ? { description: input.FirmwareDesc } : {}),
        ...(input.ModuleName ? { module: input.ModuleName } : {}),
        ...(input.SrcVersion ? { sourceVersion: input.SrcVersion } : {}),
        ...(input.Udi ? { userInfo: input.Udi } : {}),
      });
      return { Data: { FirmwareId: String(id), UtcCreate: formatUtc(createdAt) } };
    },
  ),

  DeleteOTAFirmware: defineOperation({ FirmwareId: "text" }, async ({ FirmwareId }, { ota }) => {
    await ota.packages.delete(readId("FirmwareId", FirmwareId));
    return {};
  }),

  ModifyOTAFirmware: defineOperation(
    { FirmwareId: "text", ProductKey: "text", FirmwareDesc: "text?", FirmwareName: "text?", FirmwareUdi: "text?" },
    async ({ FirmwareId, ProductKey, FirmwareDesc, FirmwareName, FirmwareUdi }, ports) => {
      const { id } = await packageOf(ProductKey, FirmwareId, ports);
      await ports.ota.packages.update(id, {
        ...(FirmwareName ? { name: FirmwareName } : {}),
        ...(FirmwareDesc === undefined ? {} : { description: FirmwareDesc }),
        ...(FirmwareUdi === undefined ? {} : { userInfo: FirmwareUdi }),
      });
      return {};
    },
  ),

  QueryOTAFirmware: defineOperation({ FirmwareId: "text" }, async ({ FirmwareId }, { ota, registry }) => {
    const pack = await ota.packages.get(readId("FirmwareId", FirmwareId));
    const { name } = await registry.getProduct(pack.productKey);
    const links = pack.files.map((file) => ({
      Name: file.name,
      Size: file.bytes,
      FileMd5: file.md5,
      SignValue: pack.signMethod === "MD5" ? file.md5 : file.sha256,
      Url: ota.files.link(file.id),
    }));
    return {
      FirmwareInfo: {
        ...showPackage(pack, name),
        FirmwareUrl: links[0]?.Url,
        Udi: pack.userInfo,
        MultiFiles: links.length > 1 ? links : undefined,
        VerifyProgress: pack.status === "verified" ? 100 : 0,
      },
    };
  }),

  ListOTAFirmware: defineOperation(
    { ...otaPage, ProductKey: "text?", DestVersion: "text?" },
    async ({ CurrentPage, PageSize, ProductKey, DestVersion }, { ota, registry, limits }) => {
      const wanted = readPage(CurrentPage, PageSize, limits.otaPageEntriesMax);
      const { items, total } = await ota.packages.list(wanted, {
        ...(ProductKey ? { productKey: ProductKey } : {}),
        ...(DestVersion ? { version: DestVersion } : {}),
      });
      const SimpleFirmwareInfo = [];
      for (const pack of items) SimpleFirmwareInfo.push(showPackage(pack, (await registry.getProduct(pack.productKey)).name));
      return { FirmwareInfo: { SimpleFirmwareInfo }, ...showPage(wanted, total) };
    },
  ),

  CreateOTAModule: defineOperation(
    { ProductKey: "text", ModuleName: "text", AliasName: "text?", Desc: "text?" },
    async ({ ProductKey, ModuleName, AliasName, Desc }, { ota }) => {
      await ota.modules.create({
        productKey: ProductKey,
        name: ModuleName,
        ...(AliasName ? { alias: AliasName } : {}),
        ...(Desc ? { description: Desc } : {}),
      });
      return {};
    },
  ),

  UpdateOTAModule: defineOperation(
    { ProductKey: "text", ModuleName: "text", AliasName: "text?", Desc: "text?" },
    async ({ ProductKey, ModuleName, AliasName, Desc }, { ota }) => {
      await ota.modules.update(ProductKey, ModuleName, {
        ...(AliasName === undefined ? {} : { alias: AliasName }),
        ...(Desc === undefined ? {} : { description: Desc }),
      });
      return {};
    },
  ),

  DeleteOTAModule: defineOperation({ ProductKey: "text", ModuleName: "text" }, async ({ ProductKey, ModuleName }, { ota }) => {
    await ota.modules.delete(ProductKey, ModuleName);
    return {};
  }),

  ListOTAModuleByProduct: defineOperation({ ProductKey: "text" }, async ({ ProductKey }, { ota }) => {
    const modules = await ota.modules.list(ProductKey);
    return {
      Data: modules.map(({ name, alias, description, createdAt, modifiedAt }) => ({
        ProductKey,
        ModuleName: name,
        AliasName: alias,
        Desc: description,
        GmtCreate: formatUtc(createdAt),
        GmtModified: formatUtc(modifiedAt),
      })),
    };
  }),

  ListOTAModuleVersionsByDevice: defineOperation({ ...deviceSelector, ...otaPage }, async (input, { ota, registry, limits }) => {
    const { productKey, deviceName, iotId } = await findSelectedDevice(input, registry);
    const { page, pageSize } = readPage(input.CurrentPage, input.PageSize, limits.otaPageEntriesMax);
    const versions = await ota.versions.ofDevice(productKey, deviceName);
    const SimpleOTAModuleInfo = versions.slice((page - 1) * pageSize, page * pageSize).map(({ module, version }) => ({
      ProductKey: productKey,
      DeviceName: deviceName,
      IotId: iotId,
      ModuleName: module,
      ModuleVersion: version,
    }));
    return { Data: { SimpleOTAModuleInfo }, ...showPage({ page, pageSize }, versions.length) };
  }),
};

/** The version of the whole device; empty when it never told one. */
export async function firmwareVersionOf(productKey: string, deviceName: string, { ota }: Pick<OperationPorts, "ota">): Promise<string> {
  const versions = await ota.versions.ofDevice(productKey, deviceName);
  return versions.find(({ module }) => module === defaultModule)?.version ?? "";
}

export function readId(parameter: string, text: string): number {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(id)) return id;
  throw new PlatformError("alibaba.invalid_parameter", {
    parameter,
    received: text.slice(0, 100),
    expected: "an id that this server gave",
  });
}

/** The package, which must be of this product. */
export async function packageOf(productKey: string, firmwareId: string, { ota }: OperationPorts): Promise<OtaPackage> {
  const pack = await ota.packages.get(readId("FirmwareId", firmwareId));
  if (pack.productKey !== productKey)
    throw new PlatformError("alibaba.firmware_of_other_product", { received: productKey, expected: pack.productKey });
  return pack;
}

export function showPage({ page, pageSize }: { page: number; pageSize: number }, total: number) {
  return { CurrentPage: page, PageSize: pageSize, PageCount: pageCount(total, pageSize), Total: total };
}

function showPackage(pack: OtaPackage, productName: string) {
  const [first] = pack.files;
  return {
    FirmwareId: String(pack.id),
    FirmwareName: pack.name,
    FirmwareDesc: pack.description,
    FirmwareSign: pack.signMethod === "MD5" ? first?.md5 : first?.sha256,
    FirmwareSize: pack.files.reduce((sum, { bytes }) => sum + bytes, 0),
    SignMethod: pack.signMethod,
    ProductKey: pack.productKey,
    ProductName: productName,
    ModuleName: pack.module,
    SrcVersion: pack.sourceVersion ?? "",
    DestVersion: pack.version,
    Status: statusNumbers[pack.status],
    Type: pack.kind === "differential" ? 1 : 0,
    UtcCreate: formatUtc(pack.createdAt),
    UtcModified: formatUtc(pack.modifiedAt),
  };
}

function readSignMethod(text: string | undefined): "MD5" | "SHA256" {
  return oneOf("SignMethod", (text || "MD5").toUpperCase(), ["MD5", "SHA256"]) === "MD5" ? "MD5" : "SHA256";
}
