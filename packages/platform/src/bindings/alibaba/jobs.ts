/** Jobs as devices ask for them and tell how far they are. Source: alibaba-device.md, 8.11. */
import type { Jobs, OfferedTask } from "../../device-services/index.ts";
import type { Downlink } from "../../messages/index.ts";
import { type Answer, readRequest, reply } from "./answers.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { Uplink, UplinkHandler, UplinkHandlers } from "./uplink.ts";

export interface JobHandlersPorts {
  jobs: Pick<Jobs, "task" | "pending" | "update">;
  downlink: Pick<Downlink, "send">;
  problems: DeviceProblems;
}

type Members = Readonly<Record<string, unknown>>;

export const jobNotifyPath = "thing/job/notify";
const next = "$next";
const list = "$list";

export function taskMembers({ taskId, status, document, file }: OfferedTask): Members {
  const { url, signMethod, sign } = file ?? {};
  return { taskId, status, jobDocument: document, ...(file === undefined ? {} : { jobFile: { signMethod, sign, fileUrl: url } }) };
}

/** The document has no codes for these: 460 with the reason. */
const updateRefusals = {
  unknown: "no such task",
  over: "the task is over",
  invalid: "status, progress (0 to 100) or statusDetails is wrong",
} as const;

export function createJobHandlers(ports: JobHandlersPorts): UplinkHandlers {
  const { jobs, problems } = ports;

  function answered(work: (device: Uplink["device"], taskId: string, params: Members) => Promise<Answer>): UplinkHandler {
    return (uplink) => {
      const request = readRequest(ports, uplink, problems);
      if (request === undefined) return undefined;
      const send = (answer: Answer): void => {
        if (answer.code !== 200) problems.refused(uplink, answer.code, answer.message ?? "");
        reply(ports, uplink, request, answer);
      };
      const params: Members = typeof request.params === "object" && request.params !== null ? { ...request.params } : {};
      if (typeof params.taskId !== "string") {
        send({ code: 460, message: "taskId is missing" });
        return undefined;
      }
      return work(uplink.device, params.taskId, params).then(send);
    };
  }

  return {
    "/sys/${productKey}/${deviceName}/thing/job/get": answered(async (device, taskId) => {
      // Flat elements: the SDK's parser of the list counts braces only.
      if (taskId === list) return { code: 200, data: { taskId, tasks: await jobs.pending(device) } };
      const task = await jobs.task(device, taskId === next ? "next" : taskId);
      if (task !== undefined) return { code: 200, data: { taskId: task.taskId, task: taskMembers(task) } };
      return taskId === next ? { code: 200, data: { taskId } } : { code: 460, message: "no such task" };
    }),

    "/sys/${productKey}/${deviceName}/thing/job/update": answered(async (device, taskId, { status, progress, statusDetails }) => {
      const outcome = await jobs.update(device, {
        taskId,
        status: typeof status === "string" ? status : "",
        ...(progress === undefined ? {} : { progress: typeof progress === "string" ? Number.parseFloat(progress) : Number(progress) }),
        ...(statusDetails === undefined ? {} : { details: statusDetails }),
      });
      return outcome === "done" ? { code: 200, data: { taskId } } : { code: 460, message: updateRefusals[outcome] };
    }),

    "/sys/${productKey}/${deviceName}/thing/job/notify_reply": () => undefined,
  };
}

/** Whether a filter brings jobs: then those that wait may be sent. */
export function reachesJobTopic(filter: string): boolean {
  return filter.endsWith(`/${jobNotifyPath}`) || (filter.endsWith("/#") && filter.startsWith("/sys/")) || filter.endsWith("/thing/job/+");
}
