/** What devices ask of their jobs, read from payloads and from bodies of the jobs data plane. Source: aws-iot.md, 12.1, 15.2. */
import { isJobExecutionStatus, type JobExecutionStatus } from "./job-states.ts";

/** `code` of a `rejected` answer. */
export type JobRejectionCode =
  | "InvalidTopic"
  | "InvalidJson"
  | "InvalidRequest"
  | "InvalidStateTransition"
  | "ResourceNotFound"
  | "VersionMismatch"
  | "TerminalStateReached"
  | "RequestThrottled"
  | "InternalError";

/** Bounds of what a device may write. */
export interface JobRequestBounds {
  statusDetailsPairsMax: number;
  statusDetailsKeyCharactersMax: number;
  statusDetailsValueCharactersMax: number;
  timeoutMinutesMax: number;
}

export type JobDetails = Readonly<Record<string, string>>;

/** Every member a request may have; which count depends on the operation. */
export interface JobRequest {
  clientToken?: string;
  status?: JobExecutionStatus;
  statusDetails?: JobDetails;
  /** -1 ends the timer. */
  stepTimeoutMinutes?: number;
  expectedVersion?: number;
  executionNumber?: number;
  includesState: boolean;
  includesDocument?: boolean;
}

export type JobRequestReading =
  | { request: JobRequest }
  | { code: "InvalidJson" | "InvalidRequest"; message: string; received: string; expected: string; clientToken?: string };

const clientTokenCharactersMax = 64;
const detailsKey = /^[a-zA-Z0-9:_-]+$/;
const controlCharacter = /\p{C}/u;
const receivedCharactersMax = 100;

/** A device may nest so deeply that what was read cannot be written. */
function show(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? "nothing").slice(0, receivedCharactersMax);
  } catch {
    return "something nested too deeply";
  }
}

class Misfit {
  readonly member: string;
  readonly received: unknown;
  readonly expected: string;

  constructor(member: string, received: unknown, expected: string) {
    this.member = member;
    this.received = received;
    this.expected = expected;
  }
}

type Reader<T> = (value: unknown, member: string, bounds: JobRequestBounds) => T | Misfit;

function readCount(value: unknown, member: string, max: number): number | Misfit {
  // Old SDKs send versions as text.
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0 && number <= max) return number;
  return new Misfit(member, value, `a whole number of 0 to ${max}`);
}

const readFlag: Reader<boolean> = (value, member) => {
  if (typeof value === "boolean") return value;
  return value === "true" || value === "false" ? value === "true" : new Misfit(member, value, "true or false");
};

export function checkJobDetails(
  value: unknown,
  bounds: JobRequestBounds,
): { details: JobDetails } | { problem: { received: string; expected: string } } {
  const details = readDetails(value, "statusDetails", bounds);
  if (!(details instanceof Misfit)) return { details };
  return { problem: { received: show(details.received), expected: details.expected } };
}

const readDetails: Reader<JobDetails> = (value, member, bounds) => {
  const { statusDetailsPairsMax, statusDetailsKeyCharactersMax, statusDetailsValueCharactersMax } = bounds;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Misfit(member, value, "an object of texts");
  const pairs = Object.entries(value);
  if (pairs.length > statusDetailsPairsMax) return new Misfit(member, `${pairs.length} members`, `at most ${statusDetailsPairsMax}`);
  for (const [key, text] of pairs) {
    if (!detailsKey.test(key) || key.length > statusDetailsKeyCharactersMax) {
      return new Misfit(member, key, `names of 1 to ${statusDetailsKeyCharactersMax} characters of a-z, A-Z, 0-9, :, _ and -`);
    }
    if (typeof text !== "string" || text.length > statusDetailsValueCharactersMax || controlCharacter.test(text)) {
      return new Misfit(
        `${member}.${key}`,
        text,
        `a text of at most ${statusDetailsValueCharactersMax} characters without control characters`,
      );
    }
  }
  return Object.fromEntries(pairs);
};

const readers: {
  readonly [Member in Exclude<keyof JobRequest, "includesState">]: { wire: string; read: Reader<NonNullable<JobRequest[Member]>> };
} = {
  clientToken: {
    wire: "clientToken",
    read: (value, member) =>
      typeof value === "string" && value.length <= clientTokenCharactersMax
        ? value
        : new Misfit(member, value, `a text of at most ${clientTokenCharactersMax} characters`),
  },
  status: {
    wire: "status",
    read: (value, member) =>
      isJobExecutionStatus(value) ? value : new Misfit(member, value, "IN_PROGRESS, SUCCEEDED, FAILED or REJECTED"),
  },
  statusDetails: { wire: "statusDetails", read: readDetails },
  stepTimeoutMinutes: {
    wire: "stepTimeoutInMinutes",
    read: (value, member, { timeoutMinutesMax }) =>
      typeof value === "number" && Number.isSafeInteger(value) && (value === -1 || (value >= 1 && value <= timeoutMinutesMax))
        ? value
        : new Misfit(member, value, `-1 or 1 to ${timeoutMinutesMax}`),
  },
  expectedVersion: { wire: "expectedVersion", read: (value, member) => readCount(value, member, Number.MAX_SAFE_INTEGER) },
  executionNumber: { wire: "executionNumber", read: (value, member) => readCount(value, member, Number.MAX_SAFE_INTEGER) },
  includesDocument: { wire: "includeJobDocument", read: readFlag },
};

/** Members that are null count as absent. */
export function readJobMembers(members: Readonly<Record<string, unknown>>, bounds: JobRequestBounds): JobRequestReading {
  const request: Record<string, unknown> = {};
  const misfits: Misfit[] = [];
  for (const [name, { wire, read }] of Object.entries({
    ...readers,
    includesState: { wire: "includeJobExecutionState", read: readFlag },
  })) {
    const value = Object.hasOwn(members, wire) ? members[wire] : undefined;
    if (value === undefined || value === null) continue;
    const result = read(value, wire, bounds);
    if (result instanceof Misfit) misfits.push(result);
    else request[name] = result;
  }
  const clientToken = typeof request.clientToken === "string" ? { clientToken: request.clientToken } : {};
  const [misfit] = misfits;
  if (misfit !== undefined) {
    const received = show(misfit.received);
    const message = `${misfit.member} is ${received}, expected ${misfit.expected}.`;
    return { code: "InvalidRequest", message, received: `${misfit.member} ${received}`, expected: misfit.expected, ...clientToken };
  }
  // Each member came out of its own reader.
  return { request: { includesState: false, ...request } as JobRequest };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** An empty payload is a request without members. */
export function readJobRequest(payload: Uint8Array, bounds: JobRequestBounds): JobRequestReading {
  let members: unknown = {};
  try {
    if (payload.byteLength > 0) members = JSON.parse(utf8.decode(payload));
  } catch {
    return notJson(`${payload.byteLength} bytes`);
  }
  if (typeof members !== "object" || members === null || Array.isArray(members)) return notJson(show(members));
  return readJobMembers({ ...members }, bounds);
}

function notJson(received: string): JobRequestReading {
  const expected = "a JSON object in UTF-8";
  return { code: "InvalidJson", message: `The payload is not ${expected}.`, received, expected };
}
