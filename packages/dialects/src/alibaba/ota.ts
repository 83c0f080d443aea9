/** Messages about firmware, from both sides. Source: alibaba-device.md, 7.1. */
import { type AlinkId, type AlinkRefusal, readAlinkRequest } from "./alink.ts";

export const otaMessageLimits = {
  /** Versions have 1…64 characters in the console; devices are taken with a little more. */
  versionCharactersMax: 64,
  moduleCharactersMax: 64,
  /** Of a device's own words about a failure. */
  descriptionCharactersMax: 256,
} as const;

/** What is meant when no module is named: the firmware of the whole device. */
export const otaDefaultModule = "default";

export interface OtaInform {
  kind: "inform";
  id: AlinkId;
  module: string;
  version: string;
}

export interface OtaProgress {
  kind: "progress";
  id: AlinkId;
  /** Absent: the device did not say which. */
  module?: string;
  /** 1…100 percent; -1 upgrade, -2 download, -3 verification, -4 burning failed. */
  step: number;
  description: string;
}

/** `firmware/get`, and the older `/ota/device/request`. */
export interface OtaRequest {
  kind: "request";
  id: AlinkId;
  module: string;
  version?: string;
}

export interface OtaPushFile {
  name: string;
  bytes: number;
  md5: string;
  sha256: string;
  /** Absent for a download over MQTT. */
  url?: string;
}

/** What the cloud tells a device about a package. */
export interface OtaPush {
  module: string;
  version: string;
  isDifferential: boolean;
  signMethod: "MD5" | "SHA256";
  digestSign?: string;
  tags?: Readonly<Record<string, string>>;
  userInfo?: string;
  /** Instead of links: the device fetches blocks over MQTT. */
  stream?: { streamId: number; streamFileId: number };
  files: readonly OtaPushFile[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(id: AlinkId, message: string): AlinkRefusal {
  return { kind: "refused", code: 460, message, id };
}

/** Some firmware writes its version as a number. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return typeof value === "string" ? value : undefined;
}

/** A missing or empty module is the default one. */
function readModule(params: Members): string | undefined {
  const module = params.module ?? "";
  if (module === "") return otaDefaultModule;
  return typeof module === "string" && module.length <= otaMessageLimits.moduleCharactersMax ? module : undefined;
}

const moduleExpected = `module must be a text of at most ${otaMessageLimits.moduleCharactersMax} characters`;

function readParams(payload: Uint8Array): { id: AlinkId; params: Members } | AlinkRefusal {
  const request = readAlinkRequest(payload);
  if (request.kind === "refused") return request;
  if (!isMembers(request.params)) return refuse(request.id, "params must be an object");
  return { id: request.id, params: request.params };
}

/** Server's side: a device tells a version. */
export function readOtaInform(payload: Uint8Array): OtaInform | AlinkRefusal {
  const read = readParams(payload);
  if ("kind" in read) return read;
  const { id, params } = read;
  const version = textOf(params.version);
  const { versionCharactersMax } = otaMessageLimits;
  if (version === undefined || version === "" || version.length > versionCharactersMax) {
    return refuse(id, `version must be a text of 1 to ${versionCharactersMax} characters`);
  }
  const module = readModule(params);
  return module === undefined ? refuse(id, moduleExpected) : { kind: "inform", id, module, version };
}

/** Server's side: how far a device is. Steps come as text or number; any negative one is a failure. */
export function readOtaProgress(payload: Uint8Array): OtaProgress | AlinkRefusal {
  const read = readParams(payload);
  if ("kind" in read) return read;
  const { id, params } = read;
  const text = textOf(params.step) ?? "";
  const step = Number(text);
  if (!/^-?\d{1,4}$/.test(text) || step > 100) return refuse(id, "step must be a whole number of at most 100, as a text");
  const module = readModule(params);
  if (module === undefined) return refuse(id, moduleExpected);
  return {
    kind: "progress",
    id,
    ...(params.module === undefined || params.module === "" ? {} : { module }),
    step,
    description: (textOf(params.desc) ?? "").slice(0, otaMessageLimits.descriptionCharactersMax),
  };
}

/** Server's side: a device asks whether there is something for it. */
export function readOtaRequest(payload: Uint8Array): OtaRequest | AlinkRefusal {
  const read = readParams(payload);
  if ("kind" in read) return read;
  const module = readModule(read.params);
  if (module === undefined) return refuse(read.id, moduleExpected);
  const version = textOf(read.params.version);
  return { kind: "request", id: read.id, module, ...(version === undefined ? {} : { version }) };
}

/** Link SDK 4.1 knows these spellings only; the newest documents write `MD5`. */
const signMethodTexts = { MD5: "Md5", SHA256: "SHA256" } as const;

/** `data` of a push and of an answer to `firmware/get`. Members in the vendor's order. */
function otaPushData(push: OtaPush): Record<string, unknown> {
  const { files, signMethod, module, version, isDifferential, digestSign, stream } = push;
  const shared = {
    ...(isDifferential ? { isDiff: 1 } : {}),
    ...(digestSign === undefined ? {} : { digestsign: digestSign }),
    ...(module === otaDefaultModule ? {} : { module }),
    ...extDataOf(push),
  };
  const [only, ...others] = files;
  // One file must use the single form: SDK 4 reads `size`, `url` and `sign` then.
  if (only !== undefined && others.length === 0) {
    return {
      size: only.bytes,
      version,
      ...(only.url === undefined ? {} : { url: only.url }),
      // Older SDKs require `md5` and know no `sign`.
      ...(signMethod === "MD5" ? { md5: only.md5 } : {}),
      sign: signOf(only, signMethod),
      signMethod: signMethodTexts[signMethod],
      ...(stream === undefined ? {} : { dProtocol: "mqtt", ...stream }),
      ...shared,
    };
  }
  return {
    version,
    signMethod: signMethodTexts[signMethod],
    ...shared,
    // Last, and flat inside: SDK 4 finds the array's end by counting.
    files: files.map((file) => ({
      fileSize: file.bytes,
      fileName: file.name,
      fileUrl: file.url,
      ...(signMethod === "MD5" ? { fileMd5: file.md5 } : {}),
      fileSign: signOf(file, signMethod),
    })),
  };
}

function signOf(file: OtaPushFile, signMethod: OtaPush["signMethod"]): string {
  return signMethod === "MD5" ? file.md5 : file.sha256;
}

function extDataOf({ tags = {}, userInfo }: OtaPush): { extData?: Record<string, string> } {
  const extData = { ...tags, ...(userInfo === undefined ? {} : { _package_udi: userInfo }) };
  return Object.keys(extData).length === 0 ? {} : { extData };
}

/** Server's side: `/ota/device/upgrade`, and the answer on `/ota/device/request`. `code` is a text, `id` a number. */
export function formatOtaPush(id: AlinkId, push: OtaPush | undefined): Uint8Array {
  const data = push === undefined ? {} : otaPushData(push);
  return encoder.encode(JSON.stringify({ code: "1000", data, id, message: "success" }));
}

/** Server's side: the answer to `firmware/get`; `{}` when there is nothing. */
export function formatFirmwareGetReply(id: AlinkId, push: OtaPush | undefined): Uint8Array {
  return encoder.encode(JSON.stringify({ id, code: 200, data: push === undefined ? {} : otaPushData(push) }));
}

/** Device's side. */
export function formatOtaInform(id: string, report: { version: string; module?: string }): Uint8Array {
  const { version, module } = report;
  return encoder.encode(JSON.stringify({ id, params: { version, ...(module === undefined ? {} : { module }) } }));
}

/** Device's side: `step` 1…100, or a negative one for a failure. */
export function formatOtaProgress(id: string, report: { step: number; description?: string; module?: string }): Uint8Array {
  const { step, description = "", module } = report;
  const params = { step: String(step), desc: description, ...(module === undefined ? {} : { module }) };
  return encoder.encode(JSON.stringify({ id, params }));
}

/** Device's side. */
export function formatFirmwareGet(id: string, module?: string): Uint8Array {
  const params = module === undefined ? {} : { module };
  return encoder.encode(JSON.stringify({ id, version: "1.0", params, method: "thing.ota.firmware.get" }));
}

/** Device's side: reads a push or the answer to `firmware/get`; undefined when there is nothing to do or it cannot be read. */
export function readOtaPush(payload: Uint8Array): OtaPush | undefined {
  let message: unknown;
  try {
    message = JSON.parse(decoder.decode(payload));
  } catch {
    return undefined;
  }
  if (!isMembers(message) || !isMembers(message.data)) return undefined;
  const { data } = message;
  const version = textOf(data.version);
  const signMethod = /^sha256$/i.test(textOf(data.signMethod) ?? "md5") ? "SHA256" : "MD5";
  const files = readPushFiles(data, signMethod);
  if (version === undefined || files.length === 0) return undefined;
  const { tags, userInfo } = readExtData(data.extData);
  const digestSign = textOf(data.digestsign);
  return {
    module: textOf(data.module) ?? otaDefaultModule,
    version,
    isDifferential: Number(data.isDiff) === 1,
    signMethod,
    ...(digestSign === undefined ? {} : { digestSign }),
    ...(tags === undefined ? {} : { tags }),
    ...(userInfo === undefined ? {} : { userInfo }),
    ...(data.dProtocol === "mqtt" ? { stream: { streamId: Number(data.streamId), streamFileId: Number(data.streamFileId) } } : {}),
    files,
  };
}

function readPushFiles(data: Members, signMethod: OtaPush["signMethod"]): OtaPushFile[] {
  const rows = Array.isArray(data.files) ? data.files.filter(isMembers) : [data];
  return rows.flatMap((row) => {
    const bytes = Number(row.fileSize ?? row.size);
    const url = textOf(row.fileUrl ?? row.url);
    const sign = textOf(row.fileSign ?? row.sign) ?? textOf(row.fileMd5 ?? row.md5) ?? "";
    if (!Number.isSafeInteger(bytes) || bytes < 0) return [];
    const name = textOf(row.fileName) ?? "";
    return [
      {
        name,
        bytes,
        md5: signMethod === "MD5" ? sign.toLowerCase() : "",
        sha256: signMethod === "SHA256" ? sign.toLowerCase() : "",
        ...(url === undefined ? {} : { url }),
      },
    ];
  });
}

function readExtData(value: unknown): { tags?: Record<string, string>; userInfo?: string } {
  if (!isMembers(value)) return {};
  const { _package_udi: userInfo, ...rest } = value;
  const tags = Object.fromEntries(Object.entries(rest).map(([name, one]) => [name, textOf(one) ?? ""]));
  return { ...(Object.keys(tags).length === 0 ? {} : { tags }), ...(typeof userInfo === "string" ? { userInfo } : {}) };
}
