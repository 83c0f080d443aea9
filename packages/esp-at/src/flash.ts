/** Certificates and user data in flash: a key-value store (v3.1 and later), partitions, and how to find a certificate. [ESP-AT 4] */
import { AtError } from "./at-error.ts";
import type { ModemLimits } from "./limits.ts";
import type { Nvs } from "./nvs.ts";
import type { VersionProfile } from "./profile.ts";

export interface Partition {
  name: string;
  type: number;
  subtype: number;
  address: number;
  bytes: number;
}

const itemPartitionBytes = 0x2000;
const itemPartitions = (names: readonly string[], firstSubtype: number, firstAddress: number): Partition[] =>
  names.map((name, index) => ({
    name,
    type: 64,
    subtype: firstSubtype + index,
    address: firstAddress + index * itemPartitionBytes,
    bytes: itemPartitionBytes,
  }));

const userPartition: Partition = { name: "fatfs", type: 1, subtype: 129, address: 0x70000, bytes: 0x90000 };

const partitionTables: Readonly<Record<VersionProfile["flashLayout"], readonly Partition[]>> = {
  partitions: [
    { name: "ble_data", type: 64, subtype: 1, address: 0x21000, bytes: 0x3000 },
    ...itemPartitions(["server_cert", "server_key", "server_ca", "client_cert", "client_key", "client_ca"], 2, 0x24000),
    { name: "factory_param", type: 64, subtype: 8, address: 0x30000, bytes: 0x1000 },
    ...itemPartitions(["wpa2_cert", "wpa2_key", "wpa2_ca", "mqtt_cert", "mqtt_key", "mqtt_ca"], 9, 0x31000),
    userPartition,
  ],
  "manufacturing-nvs": [userPartition],
};

/** Types of SYSMFG items: numbers by width and sign, text, bytes. */
export const itemTypes = { u8: 1, i8: 2, u16: 3, i16: 4, u32: 5, i32: 6, string: 7, binary: 8 } as const;

const numberRanges: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 0xff],
  [-0x80, 0x7f],
  [0, 0xffff],
  [-0x8000, 0x7fff],
  [0, 0xffffffff],
  [-0x80000000, 0x7fffffff],
];

export type CertificateUse = "mqtt" | "client" | "https" | "wss" | "server";
export type CertificateKind = "ca" | "cert" | "key";

export class Flash {
  readonly #nvs: Nvs;
  readonly #profile: VersionProfile;
  readonly #limits: ModemLimits;

  constructor(nvs: Nvs, profile: VersionProfile, limits: ModemLimits) {
    this.#nvs = nvs;
    this.#profile = profile;
    this.#limits = limits;
  }

  get partitions(): readonly Partition[] {
    return partitionTables[this.#profile.flashLayout];
  }

  /** The PEM in a slot; undefined when there is none. */
  certificate(use: CertificateUse, kind: CertificateKind, slot = 0): Buffer | undefined {
    const name = `${use}_${kind}`;
    if (this.#profile.flashLayout === "partitions") {
      if (!this.partitions.some((partition) => partition.name === name)) return undefined;
      return decodeCertificates(this.readPartition(name, 0, itemPartitionBytes)).find(({ id }) => id === slot)?.pem;
    }
    return this.item(name, use === "mqtt" || use === "server" ? name : `${name}.${slot}`)?.value;
  }

  /** As the firmware would be built with it. */
  installCertificate(use: CertificateUse, kind: CertificateKind, pem: Buffer): void {
    const name = `${use}_${kind}`;
    const isPartitioned = this.#profile.flashLayout === "partitions";
    const bytesMax = isPartitioned ? itemPartitionBytes - containerHeaderBytes - itemHeaderBytes : this.#limits.flashItemBytesMax;
    if (pem.length > bytesMax) throw new RangeError(`${name} has ${pem.length} bytes; ${bytesMax} fit`);
    if (isPartitioned) {
      if (!this.partitions.some((partition) => partition.name === name)) throw new RangeError(`${this.#profile.version} has no ${name}`);
      this.erasePartition(name);
      this.writePartition(name, 0, encodeCertificate(kind, pem));
    } else this.saveItem(name, use === "mqtt" || use === "server" ? name : `${name}.0`, itemTypes.binary, pem);
  }

  namespaces(): string[] {
    return [...new Set(Object.keys(this.#nvs.items).map((path) => path.slice(0, path.indexOf("/"))))];
  }

  keys(namespace: string): { key: string; type: number }[] {
    return Object.entries(this.#nvs.items)
      .filter(([path]) => path.startsWith(`${namespace}/`))
      .map(([path, { type }]) => ({ key: path.slice(namespace.length + 1), type }));
  }

  item(namespace: string, key: string): { type: number; value: Buffer } | undefined {
    const item = this.#nvs.items[`${namespace}/${key}`];
    return item === undefined ? undefined : { type: item.type, value: Buffer.from(item.base64, "base64") };
  }

  saveNumber(namespace: string, key: string, type: number, value: number): void {
    const [min = 0, max = 0] = numberRanges[type] ?? [];
    if (value < min || value > max) throw new AtError("parameterRange", 4);
    this.saveItem(namespace, key, type, Buffer.from(String(value)));
  }

  saveItem(namespace: string, key: string, type: number, value: Buffer): void {
    const { items } = this.#nvs;
    const path = `${namespace}/${key}`;
    if (value.length > this.#limits.flashItemBytesMax) throw new AtError("parameterRange", 4);
    if (items[path] === undefined && Object.keys(items).length >= this.#limits.flashItemsMax) throw new AtError("failed");
    items[path] = { type, base64: value.toString("base64") };
    this.#nvs.save();
  }

  /** Gives whether there was anything. */
  eraseItems(namespace: string, key?: string): boolean {
    const { items } = this.#nvs;
    const gone = Object.keys(items).filter((path) =>
      key === undefined ? path.startsWith(`${namespace}/`) : path === `${namespace}/${key}`,
    );
    for (const path of gone) delete items[path];
    if (gone.length > 0) this.#nvs.save();
    return gone.length > 0;
  }

  /** @throws AtError when there is no such place */
  readPartition(name: string, offset: number, bytes: number): Buffer {
    const partition = this.#find(name, offset, bytes);
    return this.#content(partition).subarray(offset, offset + bytes);
  }

  /** Flash can only clear bits: whoever writes without erasing gets both contents mixed. */
  writePartition(name: string, offset: number, bytes: Buffer): void {
    const partition = this.#find(name, offset, bytes.length);
    const content = this.#content(partition);
    for (const [index, byte] of bytes.entries()) content[offset + index] = (content[offset + index] ?? 0xff) & byte;
    this.#savePartition(name, content);
  }

  erasePartition(name: string, offset = 0, bytes?: number): void {
    const partition = this.#find(name, offset, bytes ?? 0);
    const content = this.#content(partition);
    content.fill(0xff, offset, bytes === undefined ? partition.bytes : offset + bytes);
    this.#savePartition(name, content);
  }

  checkPartition(name: string, offset: number, bytes: number): void {
    this.#find(name, offset, bytes);
  }

  #find(name: string, offset: number, bytes: number): Partition {
    const partition = this.partitions.find((each) => each.name === name);
    if (partition === undefined) throw new AtError("parameterRange", 1);
    if (offset + bytes > partition.bytes) throw new AtError("parameterRange", 3);
    return partition;
  }

  #content({ name, bytes }: Partition): Buffer {
    const content = Buffer.alloc(bytes, 0xff);
    Buffer.from(this.#nvs.partitions[name] ?? "", "base64").copy(content);
    return content;
  }

  /** Erased bytes at the end are not kept. */
  #savePartition(name: string, content: Buffer): void {
    let end = content.length;
    while (end > 0 && content[end - 1] === 0xff) end -= 1;
    if (end === 0) delete this.#nvs.partitions[name];
    else this.#nvs.partitions[name] = content.subarray(0, end).toString("base64");
    this.#nvs.save();
  }
}

const containerHeaderBytes = 8;
const itemHeaderBytes = 4;
const itemKinds: Readonly<Record<CertificateKind, number>> = { ca: 1, cert: 2, key: 3 };

/** The container of a certificate partition: F1 F1, count, length, then items padded to four bytes. [ESP-AT 4.2] */
function encodeCertificate(kind: CertificateKind, pem: Buffer): Buffer {
  const padded = Math.ceil((itemHeaderBytes + pem.length) / 4) * 4;
  const container = Buffer.alloc(containerHeaderBytes + padded, 0xff);
  container.writeUInt16LE(0xf1f1, 0);
  container.writeUInt16LE(1, 2);
  container.writeUInt32LE(padded, 4);
  container.writeUInt8(itemKinds[kind], containerHeaderBytes);
  container.writeUInt8(0, containerHeaderBytes + 1);
  container.writeUInt16LE(pem.length, containerHeaderBytes + 2);
  pem.copy(container, containerHeaderBytes + itemHeaderBytes);
  return container;
}

/** Empty when the bytes are no container. */
function decodeCertificates(content: Buffer): { id: number; pem: Buffer }[] {
  if (content.length < containerHeaderBytes || content.readUInt16LE(0) !== 0xf1f1) return [];
  const count = content.readUInt16LE(2);
  const found: { id: number; pem: Buffer }[] = [];
  let at = containerHeaderBytes;
  for (let index = 0; index < count && at + itemHeaderBytes <= content.length; index += 1) {
    const id = content.readUInt8(at + 1);
    const length = content.readUInt16LE(at + 2);
    const start = at + itemHeaderBytes;
    if (start + length > content.length) return found;
    found.push({ id, pem: content.subarray(start, start + length) });
    at = start + Math.ceil(length / 4) * 4;
  }
  return found;
}
