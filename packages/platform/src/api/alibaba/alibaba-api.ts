/** The vendor's OpenAPI 2018-01-20: one call from raw bytes to raw answer. */
import type { Clock, Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { AccessKeys } from "../access-keys.ts";
import type { RawApiRequest, RawApiResponse } from "../raw-request.ts";
import { type AnswerContext, type AnswerFormat, answerError, answerSuccess } from "./answer.ts";
import { authenticate, isAcs3 } from "./authenticate.ts";
import { NonceGuard } from "./nonce-guard.ts";
import type { Answer, OperationPorts } from "./operation.ts";
import { operations } from "./operations/index.ts";
import { type CollectedPairs, collectPairs, type Parameters } from "./parameters.ts";
import { vendorOperations } from "./vendor-operations.ts";

const apiVersion = "2018-01-20";

/** One finished call, for the log. Holds no parameter but the operation's name and no secret. */
export interface AlibabaCall {
  requestId: string;
  /** Empty when the call did not say it. */
  action: string;
  accessKeyId: string | undefined;
  remoteAddress: string;
  status: number;
  /** Our code of a refusal. */
  errorCode: string | undefined;
  durationMilliseconds: number;
  /** A fault of ours: to be logged with its stack. */
  bug: unknown;
}

export interface AlibabaApiPorts extends Omit<OperationPorts, "origin"> {
  accessKeys: Pick<AccessKeys, "findSecret">;
  clock: Clock;
  random: Random;
  /** Values of `IotInstanceId` that clients may send; `any` accepts every one (reference 1.6). Sending none is always right. */
  instanceIds: "any" | readonly string[];
  onCall?: (call: AlibabaCall) => void;
}

/**
 * Serves calls of the Alibaba Cloud IoT OpenAPI (reference 1.1 to 1.8): query signature V1 and ACS3-HMAC-SHA256, GET and POST on `/`.
 * Never throws: every failure is an answer in the vendor's form.
 *
 * @example
 * const handle = createAlibabaApi({ registry, rules, messages, accessKeys, clock, random, limits, region: "cn-shanghai", instanceIds: "any" });
 * const { status, headers, body } = await handle({ method, path: "/", rawQuery, headers, body, remoteAddress });
 */
export function createAlibabaApi(ports: AlibabaApiPorts): (request: RawApiRequest) => Promise<RawApiResponse> {
  const { clock, random, limits } = ports;
  const nonces = new NonceGuard(limits);

  return async (request) => {
    const startedAt = clock.now();
    const context: AnswerContext = {
      format: isAcs3(request) ? "json" : "xml",
      requestId: formatRequestId(random.bytes(16)),
      host: request.headers.host ?? "",
      action: "",
    };
    const call: Pick<AlibabaCall, "accessKeyId" | "errorCode" | "bug"> = { accessKeyId: undefined, errorCode: undefined, bug: undefined };

    const run = async (): Promise<Answer> => {
      refuseMethodAndPath(request);
      const pairs = collectPairs(request, limits.parametersMax);
      if (!isAcs3(request)) context.format = wantedFormat(pairs);
      context.action = elementName(findPair(pairs, "Action") ?? request.headers["x-acs-action"]);
      const { action, version, parameters, accessKeyId } = authenticate(request, pairs, { ...ports, nonces });
      context.action = elementName(action);
      call.accessKeyId = accessKeyId;
      if (version !== apiVersion) throw new PlatformError("alibaba.invalid_version", { received: version, expected: apiVersion });
      const operation = Object.hasOwn(operations, action) ? operations[action] : undefined;
      if (operation === undefined) {
        const code = vendorOperations.has(action) ? "alibaba.action_not_supported" : "alibaba.action_not_found";
        throw new PlatformError(code, { received: action, version });
      }
      refuseUnknownInstance(parameters, ports.instanceIds);
      return operation.run(parameters, { ...ports, origin: originOf(request) });
    };

    const answer = await run().then(
      (result) => answerSuccess(result, context),
      (error: unknown) => {
        const refusal = error instanceof PlatformError ? error : new PlatformError("alibaba.internal");
        call.errorCode = refusal.code;
        if (refusal !== error) call.bug = error;
        return answerError(refusal, context);
      },
    );
    const { requestId, action } = context;
    const { remoteAddress } = request;
    ports.onCall?.({ ...call, requestId, action, remoteAddress, status: answer.status, durationMilliseconds: clock.now() - startedAt });
    return answer;
  };
}

function refuseMethodAndPath({ method, path }: RawApiRequest): void {
  if (method !== "GET" && method !== "POST") throw new PlatformError("alibaba.method_not_supported", { received: method });
  if (path !== "/" && path !== "") throw new PlatformError("alibaba.path_not_found", { received: path });
}

function findPair({ query, form }: CollectedPairs, name: string): string | undefined {
  return [...query, ...form].find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

/** XML is the vendor's documented default; the names are compared whatever their case. */
function wantedFormat(pairs: CollectedPairs): AnswerFormat {
  return findPair(pairs, "Format")?.toLowerCase() === "json" ? "json" : "xml";
}

/** The operation's name becomes an element's name: what cannot be one is left out. */
function elementName(action: string | undefined): string {
  return action !== undefined && /^[A-Za-z]\w{0,63}$/.test(action) ? action : "";
}

function refuseUnknownInstance(parameters: Parameters, instanceIds: AlibabaApiPorts["instanceIds"]): void {
  const received = parameters.get("IotInstanceId");
  if (received === undefined || received === "" || instanceIds === "any" || instanceIds.includes(received)) return;
  throw new PlatformError("alibaba.unknown_instance", { received });
}

/** An upper-case UUID of version 4. */
function formatRequestId(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex").toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Behind a proxy that ends TLS the caller's own scheme is what links have to carry. */
function originOf({ headers }: RawApiRequest): string {
  const isSecure = headers["x-forwarded-proto"]?.split(",")[0]?.trim() === "https";
  return `${isSecure ? "https" : "http"}://${headers.host ?? "localhost"}`;
}
