/** Server-sent events: shows dead connections, never buffers without end. */
import type { ServerResponse } from "node:http";
import type { Clock } from "../../clock.ts";
import type { ApiLimits } from "../limits.ts";

export interface EventStream {
  onEnd(ender: () => void): void;
  begin(): void;
  /** `data` as JSON. */
  event(event: { id?: number; name?: string; data: unknown }): void;
  /** The reader is too slow: it is cut off. */
  overflow(): void;
  /** Ends the stream properly, as the server closes. */
  end(): void;
  /** The request is answered with an error instead. */
  abandon(): void;
}

/** @param greeting a comment, sent first */
export function createEventStream(raw: ServerResponse, clock: Clock, limits: ApiLimits, greeting: string): EventStream {
  let phase: "prepared" | "open" | "ended" = "prepared";
  let cancelHeartbeat: (() => void) | undefined;
  const enders: (() => void)[] = [];

  function finish(): boolean {
    if (phase === "ended") return false;
    phase = "ended";
    cancelHeartbeat?.();
    for (const ender of enders) ender();
    return true;
  }

  function write(text: string): void {
    if (phase !== "open") return;
    raw.write(text);
    if (raw.writableLength > limits.streamBufferBytesMax) overflow();
  }

  function overflow(): void {
    if (finish()) raw.destroy();
  }

  function scheduleHeartbeat(): void {
    cancelHeartbeat = clock.after(limits.streamHeartbeatSeconds * 1000, () => {
      write(": alive\n\n");
      if (phase === "open") scheduleHeartbeat();
    });
  }

  raw.once("close", finish);

  return {
    onEnd(ender: () => void) {
      enders.push(ender);
    },
    begin() {
      if (phase !== "prepared") return;
      phase = "open";
      raw.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        // The stream is the last thing on its connection, so that a closing server need not wait for the next request.
        connection: "close",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
      });
      raw.write(`: ${greeting}\n\n`);
      scheduleHeartbeat();
    },
    event({ id, name, data }) {
      write(`${id === undefined ? "" : `id: ${id}\n`}${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`);
    },
    overflow,
    end() {
      const wasOpen = phase === "open";
      if (finish() && wasOpen) raw.end();
    },
    abandon: () => void finish(),
  };
}
