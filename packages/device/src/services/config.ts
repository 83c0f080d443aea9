/** Remote configuration: a file that the cloud keeps for the product. Source: alibaba-device.md, 8.6. */
import { formatDeviceReply, readAlinkRequest } from "@thingstead/dialects";
import { downloadFile } from "../download.ts";
import { DeviceError } from "../errors.ts";
import type { Link, Stop } from "../link.ts";
import { membersOf, numberOf, textOf } from "../members.ts";
import type { Requests } from "../requests.ts";

export interface RemoteConfig {
  id: string;
  bytes: number;
  /** Lower-case hexadecimal SHA-256. */
  sha256: string;
  url: string;
  /** Downloads and checks the file. @throws DeviceError `device.file_too_large`, `device.file_mismatch`, `device.download_*` */
  fetch(): Promise<Buffer>;
}

/** `device.config`. */
export class ConfigClient {
  readonly #link: Link;
  readonly #requests: Requests;

  constructor(link: Link, requests: Requests) {
    this.#link = link;
    this.#requests = requests;
  }

  /** The product's configuration. @throws DeviceError `device.reply_refused` with `cloudCode` 6710 none, 6713 switched off */
  async get(): Promise<RemoteConfig> {
    const path = "thing/config/get";
    const config = this.#read(await this.#requests.ask(path, { configScope: "product", getType: "file" }));
    if (config !== undefined) return config;
    throw new DeviceError("device.reply_malformed", { topic: this.#requests.sys(path), expected: "configId, configSize, sign and url" });
  }

  /** Tells of a configuration that is pushed; the cloud is answered when the handler is done. */
  onPush(handler: (config: RemoteConfig) => void | Promise<void>): Promise<Stop> {
    return this.#link.listen(this.#requests.sys("thing/config/push"), ({ topic, payload }) => {
      const request = readAlinkRequest(payload);
      const config = request.kind === "refused" ? undefined : this.#read(request.params);
      if (request.kind === "refused" || config === undefined) {
        return this.#link.tell(new DeviceError("device.message_malformed", { topic, expected: "configId, configSize, sign and url" }));
      }
      void this.#obey(topic, request.id, async () => handler(config));
    });
  }

  async #obey(topic: string, id: string | number, work: () => Promise<void>): Promise<void> {
    let reply = { code: 200 };
    try {
      await work();
    } catch (error) {
      reply = { code: 500 };
      this.#link.tell(
        error instanceof DeviceError ? error : new DeviceError("device.handler_failed", { topic, reason: String(error) }, { cause: error }),
      );
    }
    await this.#link.publish(`${topic}_reply`, formatDeviceReply({ id, ...reply }), { qos: 1 }).catch(() => {});
  }

  #read(value: unknown): RemoteConfig | undefined {
    const members = membersOf(value);
    const id = textOf(members.configId);
    const bytes = numberOf(members.configSize);
    const sha256 = textOf(members.sign)?.toLowerCase();
    const url = textOf(members.url);
    if (id === undefined || bytes === undefined || sha256 === undefined || url === undefined || !URL.canParse(url)) return undefined;
    return { id, bytes, sha256, url, fetch: () => this.#fetch(url, bytes, sha256) };
  }

  async #fetch(url: string, bytes: number, digest: string): Promise<Buffer> {
    const limit = this.#link.limits.configBytesMax;
    if (bytes > limit) throw new DeviceError("device.file_too_large", { received: bytes, limit: "limits.configBytesMax", expected: limit });
    const pieces: Buffer[] = [];
    await downloadFile(this.#link, { url, bytes, signMethod: "SHA256", digest }, (piece) => void pieces.push(piece));
    return Buffer.concat(pieces);
  }
}
