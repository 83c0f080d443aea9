/** Jobs: documents that tell a device to do something once. Source: alibaba-device.md, 8.11. */
import { formatDeviceReply, readAlinkRequest } from "@thingstead/dialects";
import { DeviceError } from "../errors.ts";
import type { Link, Stop } from "../link.ts";
import { itemsOf, type Members, membersOf, textOf } from "../members.ts";
import type { Requests } from "../requests.ts";

export type JobStatus = "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "REJECTED";

export interface Job {
  id: string;
  /** As the cloud sees it: `QUEUED`, `SENT`, `IN_PROGRESS`, … */
  status: string;
  document: Members;
  file?: { url: string; signMethod: "MD5" | "SHA256"; digest: string };
}

/** `device.jobs`. */
export class JobClient {
  readonly #link: Link;
  readonly #requests: Requests;

  constructor(link: Link, requests: Requests) {
    this.#link = link;
    this.#requests = requests;
  }

  /** The jobs that wait for this device. */
  async list(): Promise<{ id: string; status: string }[]> {
    const data = membersOf(await this.#requests.ask("thing/job/get", { taskId: "$list" }));
    return itemsOf(data.tasks).map((task) => ({ id: textOf(task.taskId) ?? "", status: textOf(task.status) ?? "" }));
  }

  /** The next job, or undefined. */
  next(): Promise<Job | undefined> {
    return this.get("$next");
  }

  async get(id: string): Promise<Job | undefined> {
    return readJob(membersOf(await this.#requests.ask("thing/job/get", { taskId: id })).task);
  }

  /** Tells how far a job is. `progress` in percent. */
  async update(id: string, status: JobStatus, more: { progress?: number; details?: Members } = {}): Promise<void> {
    const { progress, details } = more;
    const params = {
      taskId: id,
      status,
      ...(progress === undefined ? {} : { progress }),
      ...(details === undefined ? {} : { statusDetails: details }),
    };
    await this.#requests.ask("thing/job/update", params);
  }

  /** Takes jobs as they come. Taking one is not doing it: say so with {@link update}. */
  onJob(handler: (job: Job) => void): Promise<Stop> {
    return this.#link.listen(this.#requests.sys("thing/job/notify"), ({ topic, payload }) => {
      const request = readAlinkRequest(payload);
      const job = request.kind === "refused" ? undefined : readJob(membersOf(request.params).task);
      if (request.kind === "refused" || job === undefined) {
        return this.#link.tell(new DeviceError("device.message_malformed", { topic, expected: "a task with taskId" }));
      }
      this.#link.publish(`${topic}_reply`, formatDeviceReply({ id: request.id, code: 200 }), { qos: 1 }).catch(() => {});
      handler(job);
    });
  }
}

function readJob(value: unknown): Job | undefined {
  const task = membersOf(value);
  const id = textOf(task.taskId);
  if (id === undefined) return undefined;
  const file = membersOf(task.jobFile);
  const url = textOf(file.fileUrl);
  const signMethod = /^sha256$/i.test(textOf(file.signMethod) ?? "") ? "SHA256" : "MD5";
  return {
    id,
    status: textOf(task.status) ?? "",
    document: membersOf(task.jobDocument),
    ...(url === undefined ? {} : { file: { url, signMethod, digest: (textOf(file.sign) ?? "").toLowerCase() } }),
  };
}
