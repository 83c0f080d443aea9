/** The device log as server-sent events: resumes after an id, shows dead connections, and never buffers without end. */
import { Type } from "typebox";
import type { DeviceLog, LogEntry, LogQuery } from "../../device-log/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { ApiLimits } from "../limits.ts";
import type { ApiPorts } from "../ports.ts";
import { createEventStream, type EventStream } from "./event-stream.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, logKindSchema } from "./schemas.ts";
import { toLogEntryView } from "./views.ts";

type Filter = Pick<LogQuery, "productKey" | "deviceName" | "clientId" | "kind" | "isSuccess">;

/** The open streams; the server ends them when it closes. */
export interface LogStreams {
  endAll(): void;
}

export function addLogStreamRoute(app: RestApp, ports: Pick<ApiPorts, "deviceLog" | "limits" | "clock">): LogStreams {
  const { deviceLog, limits, clock } = ports;
  const open = new Set<() => void>();

  app.get(
    "/device-log/stream",
    {
      // A HEAD request would be a stream that nobody can read.
      exposeHeadRoute: false,
      schema: {
        summary: "Follow what happens to devices, as server-sent events",
        description:
          "Each event carries one LogEntry as JSON; its id is the entry's id. After a break, send it back as `Last-Event-ID` or `afterId`. " +
          "An event `gap` says that more happened meanwhile than is sent again. A reader that is too slow is cut off and may resume.",
        operationId: "followDeviceLog",
        tags: ["device log"],
        querystring: Type.Object(
          {
            productKey: Type.Optional(Type.String()),
            deviceName: Type.Optional(Type.String()),
            clientId: Type.Optional(Type.String({ description: "Of a generic client, which has no product." })),
            kind: Type.Optional(logKindSchema),
            isSuccess: Type.Optional(Type.Boolean()),
            afterId: Type.Optional(
              Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "First send what came after this entry." }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: { description: "Events.", content: { "text/event-stream": { schema: Type.String() } } },
          ...errorAnswers(),
        },
      },
    },
    async (request, reply) => {
      const { afterId, ...filter } = request.query;
      const resumeAfterId = afterId ?? readLastEventId(request.headers["last-event-id"]);
      if (open.size >= limits.followersMax) {
        throw new PlatformError("api.too_many_followers", { followersMax: limits.followersMax });
      }
      const stream = createLogStream(createEventStream(reply.raw, clock, limits, "thingstead device log"));
      open.add(stream.end);
      const waiting: LogEntry[] = [];
      let isReplaying = true;
      let unfollow: (() => void) | undefined;
      stream.onEnd(() => {
        open.delete(stream.end);
        unfollow?.();
      });
      try {
        // Following starts before the past is read, so that nothing falls between the two.
        unfollow = deviceLog.follow(filter, (entry) => {
          if (!isReplaying) stream.send(entry);
          else if (waiting.length < limits.streamReplayEntriesMax) waiting.push(entry);
          else stream.overflow();
        });
        const past = resumeAfterId === undefined ? undefined : await readPast(deviceLog, filter, resumeAfterId, limits);
        reply.hijack();
        stream.begin();
        if (past?.hasGap) stream.gap(resumeAfterId ?? 0);
        for (const entry of past?.entries ?? []) stream.send(entry);
        for (const entry of waiting) stream.send(entry);
        isReplaying = false;
      } catch (error) {
        stream.abandon();
        throw error;
      }
      return reply;
    },
  );

  return {
    endAll() {
      for (const end of open) end();
    },
  };
}

function readLastEventId(header: string | string[] | undefined): number | undefined {
  return typeof header === "string" && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

/** Oldest first, all that came after `afterId`, but no more than the newest `streamReplayEntriesMax`. */
async function readPast(
  deviceLog: DeviceLog,
  filter: Filter,
  afterId: number,
  limits: ApiLimits,
): Promise<{ entries: LogEntry[]; hasGap: boolean }> {
  const newestFirst: LogEntry[] = [];
  while (newestFirst.length <= limits.streamReplayEntriesMax) {
    const last = newestFirst.at(-1);
    const page = await deviceLog.query({
      ...filter,
      afterId,
      limit: limits.pageSizeMax,
      ...(last === undefined ? {} : { beforeId: last.id }),
    });
    newestFirst.push(...page);
    if (page.length < limits.pageSizeMax) break;
  }
  const hasGap = newestFirst.length > limits.streamReplayEntriesMax;
  return { entries: newestFirst.slice(0, limits.streamReplayEntriesMax).reverse(), hasGap };
}

function createLogStream(stream: EventStream) {
  let lastId = 0;
  return {
    ...stream,
    send(entry: LogEntry) {
      // An entry may come twice: read from the past and followed live.
      if (entry.id <= lastId) return;
      lastId = entry.id;
      stream.event({ id: entry.id, data: toLogEntryView(entry) });
    },
    gap: (afterId: number) => stream.event({ name: "gap", data: { afterId } }),
  };
}
