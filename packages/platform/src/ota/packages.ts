/** Modules, uploaded files and the packages made of them. */
import { PlatformError } from "../errors/index.ts";
import { checkModuleName, checkText, checkVersion } from "./checks.ts";
import type { Downloads } from "./downloads.ts";
import { defaultModule, type NewPackage, type Ota, type OtaModule, type OtaPackage, type PackageFile } from "./ota.ts";
import type { OtaPorts } from "./ports.ts";

type Ports = Pick<OtaPorts, "store" | "firmware" | "registry" | "clock" | "limits">;

async function needProduct({ registry }: Ports, productKey: string): Promise<void> {
  if ((await registry.findProduct(productKey)) === undefined) {
    throw new PlatformError("registry.product_not_found", { productKey });
  }
}

export function createModules(ports: Ports): Ota["modules"] {
  const { store, clock, limits } = ports;

  return {
    async create({ productKey, name, alias = "", description = "" }) {
      checkModuleName(name);
      checkText("alias", alias, 0, 64);
      checkText("description", description, 0, 100);
      await needProduct(ports, productKey);
      if (name.toLowerCase() === defaultModule) throw new PlatformError("ota.module_reserved", { module: name });
      const { modulesPerProductMax } = limits;
      if ((await store.listModules(productKey)).length >= modulesPerProductMax) {
        throw new PlatformError("ota.too_many_modules", { expected: modulesPerProductMax });
      }
      const module: OtaModule = { productKey, name, alias, description, createdAt: clock.now(), modifiedAt: clock.now() };
      if ((await store.insertModule(module)) === "duplicate") throw new PlatformError("ota.module_exists", { productKey, module: name });
      return module;
    },

    async update(productKey, name, change) {
      if (change.alias !== undefined) checkText("alias", change.alias, 0, 64);
      if (change.description !== undefined) checkText("description", change.description, 0, 100);
      const module = await store.updateModule(productKey, name, { ...change, modifiedAt: clock.now() });
      if (module === undefined) throw new PlatformError("ota.module_not_found", { productKey, module: name });
      return module;
    },

    async delete(productKey, name) {
      if (name === defaultModule) throw new PlatformError("ota.module_reserved", { module: name });
      const outcome = await store.deleteModule(productKey, name);
      if (outcome === "unknown") throw new PlatformError("ota.module_not_found", { productKey, module: name });
      if (outcome === "in_use") throw new PlatformError("ota.module_in_use", { module: name });
    },

    async list(productKey) {
      await needProduct(ports, productKey);
      const own: OtaModule = { productKey, name: defaultModule, alias: "", description: "", createdAt: 0, modifiedAt: 0 };
      return [own, ...(await store.listModules(productKey))];
    },
  };
}

export interface Uploads {
  files: Ota["files"];
  /** Deletes what nobody took. */
  clean(): Promise<void>;
}

export function createUploads(ports: Ports, downloads: Pick<Downloads, "link">): Uploads {
  const { store, firmware, clock, limits } = ports;
  let uploading = 0;
  /** An upload of bytes that are just being deleted would lose its file: neither begins while the other is at work. */
  let cleaning: Promise<void> = Promise.resolve();

  async function deleteUnused(): Promise<void> {
    const unused = await store.deleteUnusedFiles(clock.now() - limits.uploadKeptMinutes * 60_000);
    for (const { sha256 } of unused) await firmware.delete(sha256);
  }

  return {
    files: {
      async upload(pieces, expected = {}) {
        const { uploadsMax, fileBytesMax } = limits;
        if (uploading >= uploadsMax) throw new PlatformError("ota.too_many_uploads", { expected: uploadsMax });
        if (expected.bytes !== undefined && expected.bytes > fileBytesMax) {
          throw new PlatformError("ota.file_too_large", { received: expected.bytes, expected: fileBytesMax });
        }
        uploading++;
        try {
          await cleaning;
          return await store.insertFile({ ...(await firmware.write(pieces, expected)), createdAt: clock.now() });
        } finally {
          uploading--;
        }
      },
      find: (id) => store.findFile(id),
      link: (fileId) => downloads.link(fileId, 0),
    },

    async clean() {
      if (uploading > 0) return;
      const deleting = deleteUnused();
      cleaning = deleting.catch(() => {});
      await deleting;
    },
  };
}

export interface Packages {
  door: Ota["packages"];
  /** From memory when it was asked for lately. */
  get(id: number): Promise<OtaPackage>;
  setStatus(id: number, status: OtaPackage["status"]): Promise<void>;
}

const packagesCachedMax = 1_000;

export function createPackages(ports: Ports): Packages {
  const { store, clock, limits } = ports;
  const cached = new Map<number, OtaPackage>();

  async function get(id: number): Promise<OtaPackage> {
    const known = cached.get(id);
    if (known !== undefined) return known;
    const pack = await store.findPackage(id);
    if (pack === undefined) throw new PlatformError("ota.package_not_found", { packageId: id });
    if (cached.size >= packagesCachedMax) cached.clear();
    cached.set(id, pack);
    return pack;
  }

  async function filesOf({ files, signMethod = "MD5" }: NewPackage): Promise<PackageFile[]> {
    if (files.length === 0 || files.length > limits.packageFilesMax) {
      const expected = `1 to ${limits.packageFilesMax}`;
      throw new PlatformError("ota.value_invalid", { what: "number of files", received: files.length, expected });
    }
    const found: PackageFile[] = [];
    for (const { id, name = "firmware.bin", expectedSign, expectedBytes } of files) {
      checkText("file name", name, 1, 128);
      const file = await store.findFile(id);
      if (file === undefined) throw new PlatformError("ota.file_not_found", { fileId: id });
      const sign = signMethod === "MD5" ? file.md5 : file.sha256;
      if (expectedSign !== undefined && expectedSign.toLowerCase() !== sign) {
        throw new PlatformError("ota.file_mismatch", { what: signMethod, received: sign, expected: expectedSign.slice(0, 64) });
      }
      if (expectedBytes !== undefined && expectedBytes !== file.bytes) {
        throw new PlatformError("ota.file_mismatch", { what: "bytes", received: file.bytes, expected: expectedBytes });
      }
      found.push({ ...file, name });
    }
    return found;
  }

  async function checkModule(productKey: string, module: string): Promise<void> {
    if (module === defaultModule) return;
    const modules = await store.listModules(productKey);
    if (!modules.some(({ name }) => name === module)) throw new PlatformError("ota.module_not_found", { productKey, module });
  }

  function checkNew(pack: NewPackage): void {
    checkText("name", pack.name, 1, 40);
    checkText("description", pack.description ?? "", 0, 100);
    checkVersion(pack.version);
    const isDifferential = pack.kind === "differential";
    if (isDifferential !== (pack.sourceVersion !== undefined)) throw new PlatformError("ota.source_version_missing");
    if (pack.sourceVersion !== undefined) checkVersion(pack.sourceVersion, "sourceVersion");
    if (pack.sourceVersion === pack.version) throw new PlatformError("ota.versions_equal", { version: pack.version });
    checkText("userInfo", pack.userInfo ?? "", 0, limits.userInfoCharactersMax);
    checkText("digestSign", pack.digestSign ?? "", 0, 1_024);
  }

  return {
    get,

    async setStatus(id, status) {
      cached.delete(id);
      await store.updatePackage(id, { status, modifiedAt: clock.now() });
      cached.delete(id);
    },

    door: {
      async create(pack) {
        checkNew(pack);
        const { productKey, name, version, module = defaultModule, sourceVersion, digestSign, userInfo } = pack;
        await needProduct(ports, productKey);
        await checkModule(productKey, module);
        const { packagesMax } = limits;
        if ((await store.countPackages()) >= packagesMax) throw new PlatformError("ota.too_many_packages", { expected: packagesMax });
        const inserted = await store.insertPackage({
          productKey,
          name,
          description: pack.description ?? "",
          module,
          kind: pack.kind ?? "full",
          ...(sourceVersion === undefined ? {} : { sourceVersion }),
          version,
          signMethod: pack.signMethod ?? "MD5",
          files: await filesOf(pack),
          ...(digestSign === undefined ? {} : { digestSign }),
          ...(userInfo === undefined ? {} : { userInfo }),
          status: pack.needsVerification === false ? "exempt" : "unverified",
          createdAt: clock.now(),
          modifiedAt: clock.now(),
        });
        if (inserted === "duplicate_name") throw new PlatformError("ota.package_name_taken", { name });
        if (inserted === "duplicate_version") throw new PlatformError("ota.package_version_taken", { module, version });
        return inserted;
      },

      async update(id, change) {
        await get(id);
        if (change.name !== undefined) checkText("name", change.name, 1, 40);
        if (change.description !== undefined) checkText("description", change.description, 0, 100);
        if (change.userInfo !== undefined) checkText("userInfo", change.userInfo, 0, limits.userInfoCharactersMax);
        const outcome = await store.updatePackage(id, { ...change, modifiedAt: clock.now() });
        cached.delete(id);
        if (outcome === "duplicate_name") throw new PlatformError("ota.package_name_taken", { name: change.name ?? "" });
        return get(id);
      },

      get,

      async list(page, filter = {}) {
        const { rows, total } = await store.listPackages(page, filter);
        return { ...page, items: rows, total };
      },

      async delete(id) {
        await get(id);
        if ((await store.deletePackage(id)) === "in_use") throw new PlatformError("ota.package_in_use", { packageId: id });
        cached.delete(id);
      },
    },
  };
}
