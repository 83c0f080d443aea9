/** Opening links, sending, receiving, closing. [ESP-AT 6.3] */
import { AtError } from "../at-error.ts";
import { type Call, type CommandDefinition, integer, optional, type Parameter, text } from "../command.ts";
import type { ParameterValue } from "../line/parameters.ts";
import type { ModemParts } from "../modem-parts.ts";
import { isSocketKind, type Link, socketKinds } from "../socket-links.ts";

const hostBytesMax = 128;
const timeoutMillisecondsDefault = 15_000;

export const linkParameter = ({ limits }: ModemParts): Parameter => integer("link", 0, limits.socketsMax - 1);
/** Only with AT+CIPMUX=1. */
const linkIfMultiple = (modem: ModemParts): Parameter[] => (modem.sockets.isMultiple ? [linkParameter(modem)] : []);

const kind = text("kind", 5, { choices: socketKinds });
const host = text("host", hostBytesMax, { bytesMin: 1 });
const localAddress = text("localAddress", 39, optional);
const timeout = integer("timeout", 0, 60_000, optional);
const streamParameters: readonly Parameter[] = [
  kind,
  host,
  integer("port", 1, 65_535),
  integer("keepAlive", 0, 7_200, optional),
  localAddress,
  timeout,
];
const datagramParameters: readonly Parameter[] = [
  kind,
  host,
  integer("port", 1, 65_535),
  integer("localPort", 1, 65_535, optional),
  integer("udpMode", 0, 2, optional),
  localAddress,
  timeout,
];

function startParameters(given: ParameterValue | undefined): readonly Parameter[] {
  return given?.kind === "string" && given.binary.startsWith("UDP") ? datagramParameters : streamParameters;
}

function start({ modem, parameters }: Call, id: number): Promise<void> {
  const kindName = parameters.string("kind");
  if (!isSocketKind(kindName)) throw new AtError("parameterRange", 0);
  return modem.sockets.open(id, {
    kind: kindName,
    host: parameters.string("host"),
    port: parameters.integer("port"),
    timeoutMilliseconds: parameters.integer("timeout", timeoutMillisecondsDefault) || timeoutMillisecondsDefault,
    ...(parameters.has("keepAlive") ? { keepAliveSeconds: parameters.integer("keepAlive") } : {}),
    ...(parameters.has("localPort") ? { localPort: parameters.integer("localPort") } : {}),
    ...(parameters.has("udpMode") ? { udpMode: parameters.integer("udpMode") } : {}),
  });
}

function needLink({ modem, parameters }: Call): Link {
  const link = modem.sockets.find(parameters.integer("link", 0));
  if (link === undefined) throw new AtError("failed");
  return link;
}

const sendParameters = (modem: ModemParts): readonly Parameter[] => [
  ...linkIfMultiple(modem),
  integer("length", 1, modem.limits.sendBytesMax),
  text("host", hostBytesMax, optional),
  integer("port", 1, 65_535, optional),
];

/** Recv, then SEND OK or SEND FAIL; ERROR only before the prompt. */
async function send(call: Call, isEscaped: boolean): Promise<void> {
  const { modem, parameters } = call;
  const link = needLink(call);
  const length = parameters.integer("length");
  if (parameters.has("host") && link.datagrams === undefined) throw new AtError("parameterCount", 0x100);
  const giveHeap = modem.heap.take(length);
  try {
    const bytes = await (isEscaped ? call.promptEscaped(length) : call.prompt(length));
    call.withoutResult();
    modem.output.block(`Recv ${bytes.length} bytes`);
    const to = parameters.has("host")
      ? { address: parameters.string("host"), port: parameters.integer("port", link.peer.port) }
      : link.peer;
    await modem.sockets.send(link, bytes, to);
    modem.output.block("SEND OK");
  } catch (error) {
    if (call.hasResult) throw error;
    modem.output.block("SEND FAIL");
  } finally {
    giveHeap();
  }
}

function formatLink({ id, target, peer, localPort }: Link): string {
  return `${id},"${target.kind}","${peer.address}",${peer.port},${localPort},0`;
}

export const socketCommands: readonly CommandDefinition[] = [
  {
    name: "+CIPSTART",
    set: {
      parameters: (modem, given) => [...linkIfMultiple(modem), ...startParameters(given[modem.sockets.isMultiple ? 1 : 0])],
      run: (call) => start(call, call.parameters.integer("link", 0)),
    },
  },
  {
    name: "+CIPSTARTEX",
    set: {
      parameters: (_modem, given) => startParameters(given[0]),
      run(call) {
        const { sockets } = call.modem;
        const id = sockets.freeId();
        if (!sockets.isMultiple || id === undefined) throw new AtError("failed");
        return start(call, id);
      },
    },
  },
  {
    name: "+CIPSEND",
    set: { parameters: sendParameters, run: (call) => send(call, false) },
    execute(call) {
      const { sockets } = call.modem;
      if (!sockets.isPassthrough || sockets.isMultiple) throw new AtError("failed");
      call.withoutResult();
      sockets.passThrough(needLink(call));
    },
  },
  { name: "+CIPSENDEX", set: { parameters: sendParameters, run: (call) => send(call, true) } },
  {
    name: "+CIPCLOSE",
    set: {
      // One more than the last is all of them.
      parameters: ({ limits }) => [integer("link", 0, limits.socketsMax)],
      run(call) {
        const { sockets, limits } = call.modem;
        if (!sockets.isMultiple) throw new AtError("failed");
        if (call.parameters.integer("link") < limits.socketsMax) return sockets.close(needLink(call));
        for (const link of sockets.links) sockets.close(link);
      },
    },
    execute(call) {
      if (call.modem.sockets.isMultiple) throw new AtError("failed");
      call.modem.sockets.close(needLink(call));
    },
  },
  {
    name: "+CIPSTATE",
    since: "v3.2",
    query({ modem }) {
      for (const link of modem.sockets.links) modem.output.line(`+CIPSTATE:${formatLink(link)}`);
    },
  },
  {
    name: "+CIPSTATUS",
    execute({ modem }) {
      const { station, sockets, output } = modem;
      const withAddress = sockets.links.length > 0 ? 3 : sockets.hadLink ? 4 : 2;
      const status = station.isOnline ? withAddress : station.state === "idle" ? 1 : 5;
      output.line(`STATUS:${status}`);
      for (const link of sockets.links) output.line(`+CIPSTATUS:${formatLink(link)}`);
    },
  },
  {
    name: "+CIPRECVLEN",
    query({ modem }) {
      const lengths = Array.from({ length: modem.limits.socketsMax }, (_, id) => modem.sockets.pendingBytes(id));
      modem.output.line(`+CIPRECVLEN:${lengths.join(",")}`);
    },
  },
  {
    name: "+CIPRECVDATA",
    set: {
      parameters: (modem) => [...linkIfMultiple(modem), integer("length", 1, 0x7fffffff)],
      run(call) {
        const { sockets, output } = call.modem;
        const link = needLink(call);
        const found = sockets.read(link, call.parameters.integer("length"));
        if (found === undefined) throw new AtError("failed");
        const peer = sockets.showsPeer ? `"${found.from.address}",${found.from.port},` : "";
        output.data(`+CIPRECVDATA:${found.bytes.length},${peer}`, found.bytes);
        // After the OK of this command.
        queueMicrotask(() => sockets.afterRead(link));
      },
    },
  },
];
