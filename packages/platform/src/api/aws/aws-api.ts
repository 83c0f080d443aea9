/** The AWS API: one call from raw bytes to raw answer, signed with an access key or sent by a device with a certificate. */
import { decodeQuery, isNestedTooDeep, messageJsonLimits } from "@thingstead/dialects";
import type { Clock, Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { chooseLanguage } from "../language.ts";
import type { RawApiRequest } from "../raw-request.ts";
import { type AwsResponse, answerError, answerSuccess } from "./answer.ts";
import { type AwsAuthenticatePorts, authenticateSigned, claimedPlane } from "./authenticate.ts";
import type { AwsAnswer, AwsOperation, AwsPrincipal, AwsRequest, AwsService } from "./operation.ts";
import { createDataOperations, type DataOperationPorts } from "./operations/data.ts";
import { createFleetOperations, type FleetOperationPorts } from "./operations/fleet.ts";
import { createIndexOperations, type IndexOperationPorts } from "./operations/indexing.ts";
import { createJobsOperations, type JobOperationPorts } from "./operations/jobs.ts";
import { createProvisioningOperations, type ProvisioningOperationPorts } from "./operations/provisioning.ts";
import { createTopicRuleOperations, type TopicRuleOperationPorts } from "./operations/topic-rules.ts";
import { RouteTable } from "./route-table.ts";
import { vendorOperations } from "./vendor-operations.ts";

/** What the families ask for: each adds its own ports here. */
export type AwsOperationPorts = FleetOperationPorts &
  ProvisioningOperationPorts &
  JobOperationPorts &
  TopicRuleOperationPorts & {
    data: DataOperationPorts & Pick<IndexOperationPorts, "namedShadows" | "clock" | "indexLimits">;
  };

/** Every operation we have; each family adds a line. */
export function createAwsOperations(ports: AwsOperationPorts): AwsOperation[] {
  return [
    ...createFleetOperations(ports),
    ...createProvisioningOperations(ports),
    ...createJobsOperations(ports),
    ...createTopicRuleOperations(ports),
    ...createDataOperations(ports.data),
    ...createIndexOperations({ ...ports.data, fleet: ports.fleet }),
  ];
}

/** One finished call, for the log. Holds no parameter and no secret. */
export interface AwsCall {
  requestId: string;
  /** Empty when no operation was found. */
  operation: string;
  /** Access key id or certificate id. */
  principalId: string | undefined;
  remoteAddress: string;
  status: number;
  /** Our code of a refusal. */
  errorCode: string | undefined;
  durationMilliseconds: number;
  /** A fault of ours: to be logged with its stack. */
  bug: unknown;
}

export interface AwsApiPorts extends AwsAuthenticatePorts {
  operations: readonly AwsOperation[];
  clock: Clock;
  random: Random;
  onCall?: (call: AwsCall) => void;
}

export interface AwsApi {
  /** A call that is signed, or should be. Never throws. @param planes the planes served at this door; absent: all */
  signed(request: RawApiRequest, planes?: readonly AwsService[]): Promise<AwsResponse>;
  /** A call of a device on the data planes; `identify` throws when its certificate is refused. Never throws. */
  ofDevice(request: RawApiRequest, identify: () => Promise<AwsPrincipal>): Promise<AwsResponse>;
  /** The failure of something before a call was read, such as a body that is too large. */
  refuse(request: RawApiRequest, error: unknown): AwsResponse;
}

type Target = { kind: "operation"; operation: AwsOperation } | { kind: "lacking"; name: string };

/** Planes of devices. */
export const dataPlanes: readonly AwsService[] = ["iotdata", "iot-jobs-data"];

/**
 * @example
 * const api = createAwsApi({ operations: createAwsOperations(ports), account, accessKeys, failedAuth, clock, random, limits });
 * const { status, headers, body } = await api.signed({ method, path, rawQuery, headers, body, remoteAddress });
 */
export function createAwsApi(ports: AwsApiPorts): AwsApi {
  const { clock, random, limits } = ports;
  const tables = new Map(services.map((service) => [service, tableOf(service, ports.operations)]));

  const find = (request: RawApiRequest, planes: readonly AwsService[]): { target: Target; labels: Record<string, string> } => {
    const { method, path } = request;
    const tried = planes.flatMap((plane) => tables.get(plane) ?? []).map((table) => table.match(method, path));
    for (const match of tried) {
      if (match.kind === "found") return { target: match.value, labels: match.labels };
      if (match.kind === "malformed") throw new PlatformError("aws.url_malformed", { received: shorten(match.received) });
    }
    const service = planes[0] ?? "";
    const allowed = tried.flatMap((match) => (match.kind === "other_method" ? match.allowed : []));
    if (allowed.length > 0 && service !== "iot") {
      throw new PlatformError("aws.method_not_allowed", { path: shorten(path), method, allowed: allowed.join(", ") });
    }
    const other = services.find((each) => tables.get(each)?.match(method, path).kind === "found");
    const hint = other === undefined ? "" : `It is one of ${other}: sign for that service.`;
    throw new PlatformError("aws.operation_unknown", { method, path: shorten(path), service, hint });
  };

  const serve = async (
    request: RawApiRequest,
    claimed: AwsService | undefined,
    identify: () => Promise<{ principal: AwsPrincipal; planes: readonly AwsService[] }>,
  ): Promise<AwsResponse> => {
    const startedAt = clock.now();
    const requestId = formatRequestId(random.bytes(16));
    const call: Pick<AwsCall, "operation" | "principalId" | "errorCode" | "bug"> = {
      operation: "",
      principalId: undefined,
      errorCode: undefined,
      bug: undefined,
    };
    let service = claimed;
    const run = async (): Promise<AwsAnswer> => {
      const { principal, planes } = await identify();
      service = planes[0];
      call.principalId = principal.kind === "certificate" ? principal.certificateId : principal.id;
      const { target, labels } = find(request, planes);
      call.operation = target.kind === "operation" ? target.operation.name : target.name;
      if (target.kind === "lacking") throw new PlatformError("aws.operation_unsupported", { operation: target.name });
      service = target.operation.service;
      return target.operation.run(toAwsRequest(request, principal, labels));
    };
    const answer = await run().then(
      (result) => answerSuccess(result, requestId),
      (error: unknown) => {
        const refusal = error instanceof PlatformError ? error : new PlatformError("aws.internal", { requestId });
        call.errorCode = refusal.code;
        if (refusal !== error) call.bug = error;
        return answerError(refusal, service, requestId, chooseLanguage(request.headers["accept-language"]));
      },
    );
    const { remoteAddress } = request;
    ports.onCall?.({ ...call, requestId, remoteAddress, status: answer.status, durationMilliseconds: clock.now() - startedAt });
    return answer;
  };

  return {
    signed: (request, served = services) =>
      serve(request, claimedPlane(request), async () => {
        const { accessKeyId, planes } = await authenticateSigned(request, ports);
        const open = planes.filter((plane) => served.includes(plane));
        if (open.length === 0) {
          throw new PlatformError("aws.wrong_service", { received: planes.join(", "), expected: served.join(", ") });
        }
        return { principal: { kind: "access-key", id: accessKeyId }, planes: open };
      }),
    ofDevice: (request, identify) => serve(request, "iotdata", async () => ({ principal: await identify(), planes: dataPlanes })),
    refuse(request, error) {
      const requestId = formatRequestId(random.bytes(16));
      const refusal = error instanceof PlatformError ? error : new PlatformError("aws.internal", { requestId });
      return answerError(refusal, claimedPlane(request), requestId, chooseLanguage(request.headers["accept-language"]));
    },
  };

  function toAwsRequest(request: RawApiRequest, principal: AwsPrincipal, labels: Record<string, string>): AwsRequest {
    const { headers, body, remoteAddress, rawQuery } = request;
    if (body.length > limits.bodyBytesMax) throw new PlatformError("aws.body_too_large", { bodyBytesMax: limits.bodyBytesMax });
    const pairs = decodeQuery(rawQuery);
    if (pairs === undefined) throw new PlatformError("aws.url_malformed", { received: "the query" });
    const query = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value]));
    return { principal, labels, query, headers, body, remoteAddress, json: () => parseObject(body) };
  }
}

const services: readonly AwsService[] = ["iot", "iotdata", "iot-jobs-data"];

/** Ours, and what the vendor has besides: calls of those learn what they called. */
function tableOf(service: AwsService, operations: readonly AwsOperation[]): RouteTable<Target> {
  const ours = operations.filter((operation) => operation.service === service);
  const names = new Set(ours.map(({ name }) => name));
  const lacking = vendorOperations[service].filter(({ name }) => !names.has(name));
  return new RouteTable<Target>([
    ...lacking.map(({ name, method, path }) => ({ method, path, value: { kind: "lacking", name } as const })),
    ...ours.map((operation) => ({ method: operation.method, path: operation.path, value: { kind: "operation", operation } as const })),
  ]);
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> {
  const text = body.toString("utf8");
  if (text.trim() === "") return {};
  if (isNestedTooDeep(text)) {
    throw new PlatformError("aws.body_not_json", { reason: `nested deeper than ${messageJsonLimits.nestingMax} levels` });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PlatformError("aws.body_not_json", { reason: error instanceof Error ? error.message : String(error) });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.fromEntries(Object.entries(value));
  throw new PlatformError("aws.body_not_json", {
    reason: `it is ${Array.isArray(value) ? "a list" : JSON.stringify(value)?.slice(0, 100)}`,
  });
}

const shownCharactersMax = 200;

function shorten(text: string): string {
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
}

/** A UUID of version 4. */
function formatRequestId(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
