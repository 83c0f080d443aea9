/** Switches modems on and waits until they are off. Loaded by `thingstead modem` alone. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Transform } from "node:stream";
import { attachModem, createFileStorage, createModem, listenForHosts, type Modem, type ModemMaker, openPty } from "@thingstead/esp-at";
import type { ModemRequest } from "../io.ts";

const unreadBytesMax = 4_194_304;
const idleCheckMilliseconds = 10;

export async function runModem(request: ModemRequest, tell: (event: "listening" | "pty" | "failed", what: string) => void): Promise<void> {
  if (request.stateFolder !== undefined) mkdirSync(request.stateFolder, { recursive: true, mode: 0o700 });
  const closers: (() => Promise<void>)[] = [];
  const troubles: Promise<never>[] = [];
  try {
    const { listen, ptyLinks } = request;
    if (listen !== undefined) {
      // What is wrong with every modem is told now and not when a host comes.
      createModem({ version: request.version, certificates: request.certificates, output: () => {} }).close();
      const onFailure = (error: unknown) => tell("failed", error instanceof Error ? error.message : String(error));
      const door = await listenForHosts({ ...listen, create: (slot) => makerOf(request, slot), onFailure });
      closers.push(() => door.close());
      tell("listening", `${door.host}:${door.port}`);
    }
    for (const [index, link] of ptyLinks.entries()) {
      const door = await openPty({ link, searchPath: process.env.PATH ?? "", create: makerOf(request, ptySlot + index) });
      closers.push(() => door.close());
      troubles.push(door.broken);
      tell("pty", link);
    }
    if (closers.length === 0) await runOnStandardStreams(request);
    else await Promise.race([signal(), ...troubles]);
  } finally {
    await Promise.all(closers.map((close) => close()));
  }
}

/** Slots of TCP connections are below. */
const ptySlot = 100;

function makerOf(request: ModemRequest, slot: number, echoes = true): ModemMaker {
  const { faults, accessPoints, stateFolder } = request;
  return (door) => {
    const modem = createModem({
      ...door,
      version: request.version,
      hosts: request.hosts,
      certificates: request.certificates,
      checksServerName: request.checksServerName,
      echoes,
      macAddress: `24:0a:c4:00:00:${(slot & 0xff).toString(16).padStart(2, "0")}`,
      startsOutOfRange: faults.isOutOfRange === true,
      ...(accessPoints.length === 0 ? {} : { wifi: { accessPoints, acceptsAnyNetwork: false } }),
      ...(faults.heapBytes === undefined ? {} : { limits: { heapBytes: faults.heapBytes } }),
      faults: {
        ...(faults.tls === undefined ? {} : { tls: faults.tls }),
        hasNoTimeServer: faults.hasNoTimeServer === true,
        linkDelayMilliseconds: faults.linkDelayMilliseconds ?? 0,
        linkBytesPerSecond: faults.linkBytesPerSecond ?? 0,
      },
      ...(stateFolder === undefined ? {} : { storage: createFileStorage(join(stateFolder, `modem-${slot}.json`)) }),
      ...(request.showsLog ? { log: (text: string) => void process.stderr.write(`${text}\n`) } : {}),
    });
    if (faults.wifiLossSeconds !== undefined) setTimeout(() => modem.loseWifi(), faults.wifiLossSeconds * 1000).unref();
    return modem;
  };
}

/** Until the input ends and what it asked for is answered, or a signal. */
async function runOnStandardStreams(request: ModemRequest): Promise<void> {
  const { stdin, stdout } = process;
  // A terminal sends line feeds, and shows what is typed by itself.
  const isTerminal = stdin.isTTY === true;
  const input = isTerminal ? stdin.pipe(crlf()) : stdin;
  const modem = attachModem({ input, output: stdout, create: makerOf(request, 0, !isTerminal), unreadBytesMax, whenUnread: "cut-off" });
  await Promise.race([ended(input, modem), signal()]);
  modem.close();
  stdin.destroy();
}

async function ended(input: NodeJS.ReadableStream, modem: Modem): Promise<void> {
  await new Promise<void>((resolve) => input.once("end", resolve));
  while (modem.isBusy && !modem.isAwaitingData) await new Promise((resolve) => setTimeout(resolve, idleCheckMilliseconds));
}

function signal(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
  });
}

function crlf(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from(chunk.toString("latin1").replace(/\r?\n/g, "\r\n"), "latin1"));
    },
  });
}
