/** Lines of the device's own log for the cloud. Source: alibaba-device.md, 8.7. */
import { readAlinkRequest } from "@thingstead/dialects";
import type { Link, Stop } from "../link.ts";
import { membersOf, numberOf } from "../members.ts";
import type { Requests } from "../requests.ts";

export interface LogLine {
  /** Milliseconds since the epoch; default now. */
  time?: number;
  level: "FATAL" | "ERROR" | "WARN" | "INFO" | "DEBUG";
  module: string;
  code: string;
  text: string;
  /** Ties lines together that tell of one thing. */
  traceContext?: string;
}

/** `device.log`. The cloud says whether it wants lines: {@link isWanted}, {@link onWanted}. */
export class LogClient {
  readonly #link: Link;
  readonly #requests: Requests;

  constructor(link: Link, requests: Requests) {
    this.#link = link;
    this.#requests = requests;
  }

  /** Posts lines, in portions of what one message may carry. */
  async post(lines: readonly LogLine[]): Promise<void> {
    const { limits, clock } = this.#link;
    for (let start = 0; start < lines.length; start += limits.logLinesPerMessage) {
      const params = lines.slice(start, start + limits.logLinesPerMessage).map((line) => ({
        // The vendor's form has no colon in the zone.
        utcTime: new Date(line.time ?? clock.now()).toISOString().replace("Z", "+0000"),
        logLevel: line.level,
        module: line.module,
        code: line.code,
        ...(line.traceContext === undefined ? {} : { traceContext: line.traceContext }),
        logContent: line.text,
      }));
      await this.#requests.ask("thing/log/post", params);
    }
  }

  /** Whether the cloud wants this device's lines. */
  async isWanted(): Promise<boolean> {
    return isWantedBy(await this.#requests.ask("thing/config/log/get", { configScope: "device", getType: "content" }));
  }

  /** Tells when the cloud begins or ceases to want them. */
  onWanted(handler: (isWanted: boolean) => void): Promise<Stop> {
    return this.#link.listen(this.#requests.sys("thing/config/log/push"), ({ payload }) => {
      const request = readAlinkRequest(payload);
      if (request.kind === "request") handler(isWantedBy(request.params));
    });
  }
}

function isWantedBy(value: unknown): boolean {
  return numberOf(membersOf(membersOf(value).content).mode) === 1;
}
