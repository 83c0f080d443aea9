/** Lines of devices' own logs, and what they see of their network. Source: alibaba-device.md, 8.7 and 8.8. */
import type { DeviceLines, Diagnostics, LogLine } from "../../device-services/index.ts";
import type { Downlink } from "../../messages/index.ts";
import { type Answer, readRequest, reply } from "./answers.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { AlibabaBindingLimits } from "./limits.ts";
import type { UplinkHandlers } from "./uplink.ts";

export interface DeviceLogHandlersPorts {
  lines: Pick<DeviceLines, "take">;
  diagnostics: Pick<Diagnostics, "take">;
  downlink: Pick<Downlink, "send">;
  problems: DeviceProblems;
  limits: Pick<AlibabaBindingLimits, "logLinesPerMessageMax">;
}

type Members = Readonly<Record<string, unknown>>;

const textCharactersMax = 128;
const done: Answer = { code: 200 };
const throttled: Answer = { code: 429, message: "too many requests" };

export function createDeviceLogHandlers(ports: DeviceLogHandlersPorts): UplinkHandlers {
  const { lines, diagnostics, problems, limits } = ports;
  return {
    "/sys/${productKey}/${deviceName}/thing/log/post": (uplink) => {
      const request = readRequest(ports, uplink, problems);
      if (request === undefined) return undefined;
      const read = readLines(request.params, limits.logLinesPerMessageMax);
      const invalid: Answer = { code: 460, message: `params must be a list of 1 to ${limits.logLinesPerMessageMax} lines` };
      const answer = read === undefined ? invalid : lines.take(uplink.device, read) ? done : throttled;
      if (answer.code !== 200) problems.refused(uplink, answer.code, answer.message ?? "");
      reply(ports, uplink, request, answer);
      return undefined;
    },

    "/sys/${productKey}/${deviceName}/_thing/diag/post": (uplink) => {
      const request = readRequest(ports, uplink, problems);
      if (request === undefined) return undefined;
      return diagnostics.take(uplink.device, request.params).then((isTaken) => {
        const answer = isTaken ? done : { code: 460, message: "the report is too large" };
        if (!isTaken) problems.refused(uplink, answer.code, "the report is too large");
        reply(ports, uplink, request, answer);
      });
    },
  };
}

/** The C SDK 3 sends `{ template, contents }`: kept as one line, as it came. */
function readLines(params: unknown, linesMax: number): LogLine[] | undefined {
  if (!Array.isArray(params)) {
    if (!isMembers(params) || !Array.isArray(params.contents)) return undefined;
    return [{ level: "OTHER", module: "template", code: "", content: jsonOf(params) }];
  }
  if (params.length === 0 || params.length > linesMax) return undefined;
  const items = params.filter(isMembers);
  return items.length === params.length ? items.map(toLine) : undefined;
}

function toLine({ utcTime, logLevel, module, code, traceContext, logContent }: Members): LogLine {
  return {
    ...(utcTime === undefined ? {} : { utcTime: textOf(utcTime) }),
    level: textOf(logLevel) || "OTHER",
    module: textOf(module),
    code: textOf(code),
    ...(traceContext === undefined ? {} : { traceContext: textOf(traceContext) }),
    content: typeof logContent === "string" ? logContent : jsonOf(logContent ?? ""),
  };
}

/** Empty for what is nested too deeply to be written. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "";
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
  return text.slice(0, textCharactersMax);
}
