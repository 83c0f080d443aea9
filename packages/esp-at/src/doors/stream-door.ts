/** A modem on a pair of streams: standard input and output, or a socket. */
import type { Readable, Writable } from "node:stream";
import type { Modem } from "../modem.ts";

/** Makes the modem whose bytes go to `output`; `flow(false)` asks the host to wait. */
export type ModemMaker = (door: { output(bytes: Buffer): void; flow(mayWrite: boolean): void }) => Modem;

export interface StreamDoorOptions {
  input: Readable;
  output: Writable;
  create: ModemMaker;
  /** What a host that reads nothing may leave unread. */
  unreadBytesMax: number;
  /** Then: it is cut off, or what is said next is lost, as on a wire that nobody listens to. */
  whenUnread: "cut-off" | "lose";
}

/** The modem is on as long as the input lasts. */
export function attachModem({ input, output, create, unreadBytesMax, whenUnread }: StreamDoorOptions): Modem {
  const modem = create({
    output(bytes) {
      if (!output.writable) return;
      if (output.writableLength <= unreadBytesMax) output.write(bytes);
      else if (whenUnread === "cut-off") output.destroy(new Error("the host does not read"));
    },
    flow: (mayWrite) => void (mayWrite ? input.resume() : input.pause()),
  });
  output.on("error", () => modem.close());
  output.once("close", () => modem.close());
  input.on("data", (bytes: Buffer) => modem.write(bytes));
  return modem;
}
