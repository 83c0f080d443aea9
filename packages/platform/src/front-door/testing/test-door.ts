/** A front door on 127.0.0.1 with a broker that answers CONNECT: for the tests of this folder. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { alibabaCertificateHosts } from "@thingstead/dialects";
import type { Broker, ConnectionFacts, Transport } from "@thingstead/mqtt";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { systemClock, systemRandom } from "../../clock.ts";
import type { NewLogEntry } from "../../device-log/index.ts";
import { type Certificates, openCertificates } from "../certificates/index.ts";
import { createDeviceRoutes } from "../device-http/device-routes.ts";
import { type FrontDoor, openFrontDoor } from "../front-door.ts";
import { defaultFrontDoorLimits, type FrontDoorLimits } from "../limits.ts";
import { defaultFrontDoorTls, type FrontDoorTls } from "../tls-door.ts";

/** CONNECT of MQTT 3.1.1, client id "a", clean session, keep-alive 60. */
export const connectPacket = Buffer.from("100d00044d5154540402003c000161", "hex");
export const connack = Buffer.from([0x20, 2, 0, 0]);
export const isConnack = (bytes: Buffer): boolean => bytes.length >= connack.length;

/** TLS 1.2, AES128-SHA, no extensions: what axTLS sends. */
export const clientHello = Buffer.concat([
  Buffer.from([0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3]),
  Buffer.alloc(32, 7),
  Buffer.from([0, 0, 2, 0, 0x2f, 1, 0]),
]);

/** Speaks as much MQTT as a CONNECT needs: the engine has its own tests. */
class EchoBroker implements Pick<Broker, "accept"> {
  facts: ConnectionFacts[] = [];
  received: Buffer[] = [];
  transports: Transport[] = [];
  /** Of each connection that is gone, whether it said goodbye. */
  goodbyes: boolean[] = [];
  drainedCount = 0;

  get closedCount(): number {
    return this.goodbyes.length;
  }

  accept(transport: Transport, facts: ConnectionFacts) {
    this.facts.push(facts);
    this.transports.push(transport);
    let isConnected = false;
    return {
      receive: (bytes: Uint8Array, end = bytes.length) => {
        this.received.push(Buffer.from(bytes.subarray(0, end)));
        if (!isConnected) transport.write(connack);
        else if (bytes[0] === 0xe0) transport.end();
        isConnected = true;
      },
      drained: () => void this.drainedCount++,
      closed: (isGoodbye = false) => void this.goodbyes.push(isGoodbye),
    };
  }
}

interface TestDoorOptions {
  limits?: Partial<FrontDoorLimits>;
  tls?: Partial<FrontDoorTls>;
  listen?: string[];
  certificates?: Certificates;
}

/** Opens doors for the tests of one file and closes them after each; certificates are made once a file. */
export class TestDoors {
  readonly opened: FrontDoor[] = [];
  #dataDir = "";
  #certificates: Certificates | undefined;
  readonly #limits: Partial<FrontDoorLimits>;

  /** @param limits of every door it opens */
  constructor(limits: Partial<FrontDoorLimits> = {}) {
    this.#limits = limits;
    beforeAll(async () => {
      this.#dataDir = await mkdtemp(join(tmpdir(), "front-door-"));
      this.#certificates = await openCertificates({
        dataDir: this.#dataDir,
        hosts: ["devices.example"],
        vendorHosts: alibabaCertificateHosts,
        clock: systemClock,
        random: systemRandom,
      });
    });
    afterEach(async () => {
      for (const door of this.opened.splice(0)) await door.close(0);
    });
    afterAll(async () => {
      this.#certificates?.close();
      await rm(this.#dataDir, { recursive: true, force: true });
    });
  }

  get certificates(): Certificates {
    if (this.#certificates === undefined) throw new Error("used outside a test");
    return this.#certificates;
  }

  async open(options: TestDoorOptions = {}) {
    const broker = new EchoBroker();
    const log: NewLogEntry[] = [];
    const bugs: unknown[] = [];
    const door = await openFrontDoor({
      broker,
      deviceHttp: createDeviceRoutes({
        preAuth: {
          authenticate: async ({ fields }) => {
            if (fields.deviceName === "broken") throw new Error("store is away");
            return { body: { code: 200, data: { iotId: fields.deviceName } } };
          },
        },
        routes: [{ method: "POST", path: "/echo", answer: async ({ body }) => ({ status: 200, contentType: "text/plain", body }) }],
      }),
      certificates: options.certificates ?? this.certificates,
      listen: options.listen ?? ["127.0.0.1:0"],
      clock: systemClock,
      deviceLog: { write: (entry) => void log.push(entry) },
      limits: { ...defaultFrontDoorLimits, ...this.#limits, ...options.limits },
      tls: { ...defaultFrontDoorTls, ...options.tls },
      onBug: (error) => void bugs.push(error),
    });
    this.opened.push(door);
    const port = Number(door.addresses[0]?.split(":").at(-1));
    return { door, broker, log, bugs, port };
  }

  secure(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: "127.0.0.1", ca: this.certificates.caPem, ...options }, () => resolve(socket));
      socket.once("error", reject);
    });
  }
}

/** Everything the server sends until it closes, or until `isEnough`. */
export function readFrom(socket: Socket, isEnough: (bytes: Buffer) => boolean = () => false): Promise<Buffer> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (isEnough(bytes)) resolve(bytes);
    });
    socket.on("error", () => {});
    socket.once("close", () => resolve(bytes));
  });
}

/** Sends and reads until the server closes. */
export async function exchange(port: number, bytes: string | Buffer): Promise<Buffer> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.write(bytes);
  return readFrom(socket);
}

export const until = async (condition: () => boolean): Promise<void> => {
  await expect.poll(condition, { interval: 5, timeout: 2000 }).toBe(true);
};
