/** A device that speaks for others. Source: alibaba-device.md, 6. */
import { randomUUID } from "node:crypto";
import { formatBareRequest, formatDeviceReply, readAlinkRequest, signRegistration, signSubDevice } from "@thingstead/dialects";
import { DeviceError } from "../errors.ts";
import type { Link, Stop } from "../link.ts";
import { itemsOf, type Members, membersOf, numberOf, textOf } from "../members.ts";
import type { Requests } from "../requests.ts";
import { type Carrier, SubDevice } from "../sub-device.ts";
import type { ReceivedMessage } from "../subscriptions.ts";

export interface SubDeviceNames {
  productKey: string;
  deviceName: string;
}

export interface SubDeviceTriple extends SubDeviceNames {
  deviceSecret: string;
}

/** What happened to sub-devices of this gateway (6.2). */
export interface TopologyChange {
  kind: "added" | "removed" | "enabled" | "disabled";
  devices: SubDeviceNames[];
}

const topologyKinds: Readonly<Record<number, TopologyChange["kind"]>> = { 0: "added", 1: "removed", 2: "enabled", 8: "disabled" };

/** Several copies of one name in a log must not look like one device. */
const nameOf = ({ productKey, deviceName }: SubDeviceNames) => `${productKey}/${deviceName}`;

/**
 * `device.gateway`. A sub-device that is logged in is an object with the services of a direct one.
 *
 * @example
 * await device.gateway.add([triple]);
 * const sensor = await device.gateway.login(triple);
 * await sensor.thing<Sensor>().report({ Temperature: 21.5 });
 */
export class GatewayClient {
  readonly #link: Link;
  readonly #requests: Requests;
  readonly #carrier: Carrier;
  readonly #subDevices = new Map<string, SubDevice>();
  #stopHearing: () => void = () => {};
  #hearing: Promise<Stop> | undefined;
  /** Times that the gateway came back. */
  #resumptions = 0;

  constructor(link: Link, requests: Requests, carrier: Carrier) {
    this.#link = link;
    this.#requests = requests;
    this.#carrier = carrier;
  }

  /** Sub-devices that were logged in and not logged out, be they online or waiting for the gateway to come back. */
  get subDevices(): readonly SubDevice[] {
    return [...this.#subDevices.values()];
  }

  /** Fetches the secrets of sub-devices that the cloud knows by name; their product must allow it (6.1). */
  async register(devices: readonly SubDeviceNames[]): Promise<SubDeviceTriple[]> {
    return triplesOf(await this.#requests.ask("thing/sub/register", devices.map(namesOnly)));
  }

  /** The same with the secret of the sub-devices' product (6.1). What was refused is in `failures`, with the cloud's code. */
  async registerWithSecret(devices: readonly (SubDeviceNames & { productSecret: string })[]): Promise<{
    successes: SubDeviceTriple[];
    failures: (SubDeviceNames & { cloudCode: number })[];
  }> {
    const proxieds = devices.map((device) => signRegistration({ ...device, random: randomUUID() }));
    const data = membersOf(await this.#requests.ask("thing/proxy/provisioning/product_register", { proxieds }));
    return {
      successes: triplesOf(data.successes),
      failures: itemsOf(data.failures).flatMap((item) =>
        namesOf([item]).map((names) => ({ ...names, cloudCode: numberOf(membersOf(item.errorDetail).code) ?? 0 })),
      ),
    };
  }

  async unregister(devices: readonly SubDeviceNames[]): Promise<void> {
    await this.#requests.ask("thing/sub/unregister", devices.map(namesOnly));
  }

  /** Adds sub-devices to this gateway. */
  async add(devices: readonly SubDeviceTriple[]): Promise<void> {
    const timestamp = String(this.#link.clock.now());
    // This request has the method under a name of its own (6.2).
    const params = devices.map((device) => {
      const { signMethod, ...fields } = signSubDevice({ ...device, timestamp });
      return { ...fields, signmethod: signMethod };
    });
    await this.#requests.ask("thing/topo/add", params);
  }

  async remove(devices: readonly SubDeviceNames[]): Promise<void> {
    await this.#requests.ask("thing/topo/delete", devices.map(namesOnly));
    for (const device of devices) this.#forget(nameOf(device), "removed");
  }

  /** The sub-devices that the cloud has under this gateway. */
  async topology(): Promise<SubDeviceNames[]> {
    return namesOf(await this.#requests.ask("thing/topo/get", {}));
  }

  /** Tells of devices that were found nearby; nothing is bound by it. */
  async reportFound(devices: readonly SubDeviceNames[]): Promise<void> {
    await this.#requests.ask("thing/list/found", devices.map(namesOnly));
  }

  /**
   * Logs a sub-device in. When the gateway comes back after a break it is logged in again and its subscriptions are made anew.
   *
   * @throws DeviceError `device.reply_refused` with `cloudCode` 6401 not added, 6287 signature, 522 disabled, 429 too often, …
   */
  async login(device: SubDeviceTriple, options: { isCleanSession?: boolean } = {}): Promise<SubDevice> {
    const key = nameOf(device);
    const known = this.#subDevices.get(key);
    if (known?.isOnline === true) return known;
    const { isCleanSession = true } = options;
    const login = async () => {
      const timestamp = String(this.#link.clock.now());
      // No part of what is signed.
      const params = { ...signSubDevice({ ...device, timestamp }), cleanSession: String(isCleanSession) };
      await this.#askSession("login", params);
    };
    const logout = async () => {
      this.#subDevices.delete(key);
      if (this.#link.isOnline()) await this.#askSession("logout", namesOnly(device));
    };
    await this.#hear();
    const subDevice = known ?? new SubDevice(this.#link, namesOnly(device), this.#carrier, { login, logout });
    // Messages may come as soon as the cloud took the login, before its answer is read.
    this.#subDevices.set(key, subDevice);
    try {
      await subDevice.resume();
    } catch (error) {
      if (known === undefined) this.#subDevices.delete(key);
      throw error;
    }
    return subDevice;
  }

  /** Tells of sub-devices that programs added, removed, enabled or disabled. */
  onTopologyChange(handler: (change: TopologyChange) => void): Promise<Stop> {
    return this.#serve("thing/topo/change", (params) => {
      const { status, subList } = membersOf(params);
      const kind = topologyKinds[numberOf(status) ?? -1];
      if (kind !== undefined) handler({ kind, devices: namesOf(subList) });
    });
  }

  /** Tells of sub-devices that a program wants added: {@link add} them with their secrets. */
  onAddRequest(handler: (devices: SubDeviceNames[]) => void): Promise<Stop> {
    return this.#serve("thing/topo/add/notify", (params) => handler(namesOf(params)));
  }

  /** The gateway is away, and its sub-devices with it. */
  suspend(): void {
    for (const subDevice of this.#subDevices.values()) subDevice.suspend("gateway");
  }

  /** The gateway is back: every sub-device is logged in again, one after the other. */
  async resume(): Promise<void> {
    this.#resumptions += 1;
    const mine = this.#resumptions;
    for (const subDevice of [...this.#subDevices.values()]) {
      if (subDevice.isOnline || subDevice.isEnded) continue;
      try {
        await subDevice.resume();
      } catch (error) {
        // Another break came, and whoever mends that one logs in them all.
        if (mine !== this.#resumptions) return;
        if (error instanceof DeviceError && error.code !== "device.ended") subDevice.handleTrouble(error);
      }
    }
  }

  end(): void {
    this.#stopHearing();
    for (const subDevice of this.#subDevices.values()) subDevice.suspend("gateway");
    for (const subDevice of [...this.#subDevices.values()]) void subDevice.end();
    this.#subDevices.clear();
  }

  async #askSession(action: "login" | "logout", params: Members): Promise<void> {
    const { productKey, deviceName } = this.#link;
    const topic = `/ext/session/${productKey}/${deviceName}/combine/${action}`;
    // QoS 0 only (6.3).
    await this.#requests.askOn(topic, { format: (id) => formatBareRequest({ id, params }), qos: 0 });
  }

  #serve(path: string, work: (params: unknown) => void): Promise<Stop> {
    return this.#link.listen(this.#requests.sys(path), ({ topic, payload }) => {
      const request = readAlinkRequest(payload);
      if (request.kind === "refused") {
        return this.#link.tell(new DeviceError("device.message_malformed", { topic, expected: "a request with id and params" }));
      }
      this.#link
        .publish(`${topic}_reply`, formatDeviceReply({ id: request.id, code: 200, message: "success" }), { qos: 1 })
        .catch(() => {});
      work(request.params);
    });
  }

  /** Once for all sub-devices: what comes for them, and what the cloud says of them. */
  #hear(): Promise<unknown> {
    const { productKey, deviceName } = this.#link;
    const errorTopic = `/ext/error/${productKey}/${deviceName}`;
    if (this.#hearing === undefined) {
      this.#stopHearing();
      this.#stopHearing = this.#link.overhear("#", (message) => this.#subDeviceOf(message.topic)?.handleMessage(message));
      const hearing = this.#link.listen(errorTopic, (message) => this.#receiveError(message));
      this.#hearing = hearing;
      hearing.catch(() => {
        this.#hearing = undefined;
      });
    }
    return this.#hearing;
  }

  #subDeviceOf(topic: string): SubDevice | undefined {
    const levels = topic.split("/");
    for (let index = 1; index < levels.length - 1; index += 1) {
      const subDevice = this.#subDevices.get(`${levels[index]}/${levels[index + 1]}`);
      if (subDevice !== undefined) return subDevice;
    }
    return undefined;
  }

  #receiveError({ payload }: ReceivedMessage): void {
    let message: Members;
    try {
      message = membersOf(JSON.parse(payload.toString()));
    } catch {
      return;
    }
    const [names] = namesOf([message.data]);
    const subDevice = names === undefined ? undefined : this.#subDevices.get(nameOf(names));
    if (names === undefined || subDevice === undefined) return;
    const details = { deviceName: names.deviceName, cloudCode: numberOf(message.code) ?? 0, cloudMessage: textOf(message.message) ?? "" };
    subDevice.suspend("refused");
    subDevice.handleTrouble(new DeviceError("device.sub_device_refused", details));
  }

  #forget(key: string, reason: "removed"): void {
    const subDevice = this.#subDevices.get(key);
    if (subDevice === undefined) return;
    this.#subDevices.delete(key);
    subDevice.suspend(reason);
    void subDevice.end();
  }
}

function namesOnly({ productKey, deviceName }: SubDeviceNames): { productKey: string; deviceName: string } {
  return { productKey, deviceName };
}

function namesOf(value: unknown): SubDeviceNames[] {
  return itemsOf(value).flatMap(({ productKey, deviceName }) =>
    typeof productKey === "string" && typeof deviceName === "string" ? [{ productKey, deviceName }] : [],
  );
}

function triplesOf(value: unknown): SubDeviceTriple[] {
  return itemsOf(value).flatMap((item) => {
    const { deviceSecret } = item;
    return typeof deviceSecret === "string" ? namesOf([item]).map((names) => ({ ...names, deviceSecret })) : [];
  });
}
