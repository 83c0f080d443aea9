/** Users of generic MQTT clients (`plain: users`): names, hashed passwords and rights on topics. */
import { createHmac, createSecretKey, scrypt, timingSafeEqual } from "node:crypto";
import { isTopicRightFilterValid, type TopicRight } from "@thingstead/dialects";
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import { checkText } from "./identity-values.ts";
import { defaultMqttUserLimits, type MqttUserLimits } from "./limits.ts";
import type { Page, Paged } from "./registry.ts";

export interface MqttUser {
  userName: string;
  description: string;
  rights: readonly TopicRight[];
  /** Milliseconds since the epoch. */
  createdAt: number;
  modifiedAt: number;
}

/** `passwordHash` is `scrypt$<cost>$<block size>$<salt>$<hash>`, the last two in base64. */
export type MqttUserRow = MqttUser & { passwordHash: string };

export interface MqttUserStore {
  insert(user: MqttUserRow): Promise<"ok" | "duplicate">;
  find(userName: string): Promise<MqttUserRow | undefined>;
  list(page: Page): Promise<{ rows: MqttUserRow[]; total: number }>;
  /** False when there is no such user. */
  update(
    userName: string,
    change: Partial<Pick<MqttUserRow, "description" | "rights" | "passwordHash">> & { modifiedAt: number },
  ): Promise<boolean>;
  remove(userName: string): Promise<boolean>;
}

interface NewMqttUser {
  userName: string;
  /** Absent = generated. */
  password?: string;
  description?: string;
  rights?: readonly TopicRight[];
}

export type MqttUserChange =
  | { kind: "rights"; userName: string; rights: readonly TopicRight[] }
  | { kind: "password" | "deleted"; userName: string };

/** Throws `registry.mqtt_user_not_found`, `registry.mqtt_user_taken`, `registry.invalid_mqtt_*`. */
export interface MqttUsers {
  /** The password is told once, here. */
  create(user: NewMqttUser): Promise<MqttUser & { password: string }>;
  get(userName: string): Promise<MqttUser>;
  list(page: Page): Promise<Paged<MqttUser>>;
  update(userName: string, change: { description?: string; rights?: readonly TopicRight[] }): Promise<MqttUser>;
  setPassword(userName: string, password?: string): Promise<{ password: string }>;
  remove(userName: string): Promise<void>;
  /**
   * The user whose password this is; undefined for a wrong password and for an unknown name, which take the same time.
   * Throws `registry.password_checks_exceeded` when too many wait.
   */
  verify(userName: string, password: Uint8Array): Promise<MqttUser | undefined>;
  /** Called after a change is stored. */
  onChange(listener: (change: MqttUserChange) => void): void;
}

export interface MqttUserPorts {
  store: MqttUserStore;
  clock: Pick<Clock, "now">;
  random: Random;
  limits?: Partial<MqttUserLimits>;
}

const userNamePattern = /^[A-Za-z0-9_.@-]{1,64}$/;
const cost = { N: 16_384, r: 8, p: 1 } as const;
const hashBytes = 32;
const saltBytes = 16;
const passwordBytes = 18;

export function createMqttUsers({ store, clock, random, limits: given = {} }: MqttUserPorts): MqttUsers {
  const limits = { ...defaultMqttUserLimits, ...given };
  const listeners: ((change: MqttUserChange) => void)[] = [];
  const verified = createVerifiedPasswords(random.bytes(hashBytes), limits.verifiedPasswordsMax);
  const derive = createDerivation(limits);
  /** Checked for names that nobody has; nothing verifies with it. */
  const dummyHash = `scrypt$${cost.N}$${cost.r}$${random.bytes(saltBytes).toString("base64")}$${random.bytes(hashBytes).toString("base64")}`;

  const tell = (change: MqttUserChange) => {
    for (const listener of listeners) listener(change);
  };

  async function hash(password: string): Promise<string> {
    const salt = random.bytes(saltBytes);
    return formatHash(salt, await derive(Buffer.from(password), salt));
  }

  async function found(userName: string): Promise<MqttUserRow> {
    const row = await store.find(userName);
    if (row === undefined) throw new PlatformError("registry.mqtt_user_not_found", { userName: userName.slice(0, 64) });
    return row;
  }

  function checkRights(rights: readonly TopicRight[]): readonly TopicRight[] {
    if (rights.length > limits.mqttRightsMax) {
      throw new PlatformError("registry.invalid_mqtt_rights", {
        received: rights.length,
        expected: `at most ${limits.mqttRightsMax} rights`,
      });
    }
    for (const { filter } of rights) {
      if (isTopicRightFilterValid(filter) && Buffer.byteLength(filter) <= limits.mqttFilterBytesMax) continue;
      throw new PlatformError("registry.invalid_mqtt_rights", {
        received: JSON.stringify(filter.slice(0, 128)),
        expected: `a topic filter of at most ${limits.mqttFilterBytesMax} bytes, with %u and %c for user name and client id`,
      });
    }
    return rights.map(({ filter, operation }) => ({ filter, operation }));
  }

  function checkPassword(password: string | undefined): string {
    if (password === undefined) return random.bytes(passwordBytes).toString("base64url");
    const { mqttPasswordCharactersMin: min, mqttPasswordBytesMax: max } = limits;
    const isFine = [...password].length >= min && Buffer.byteLength(password) <= max;
    if (!isFine) {
      throw new PlatformError("registry.invalid_mqtt_password", {
        received: `${[...password].length} characters`,
        expected: `at least ${min} characters and at most ${max} bytes`,
      });
    }
    return password;
  }

  const checkDescription = (text: string) => checkText("registry.invalid_description", text, 0, limits.mqttDescriptionCharactersMax);

  return {
    async create({ userName, password: wanted, description = "", rights = [] }) {
      if (!userNamePattern.test(userName)) {
        throw new PlatformError("registry.invalid_mqtt_user_name", {
          received: JSON.stringify(userName.slice(0, 80)),
          expected: '1 to 64 letters, digits, "_", ".", "@" or "-"',
        });
      }
      const password = checkPassword(wanted);
      const now = clock.now();
      const user = { userName, description: checkDescription(description), rights: checkRights(rights), createdAt: now, modifiedAt: now };
      const { total } = await store.list({ page: 1, pageSize: 1 });
      if (total >= limits.mqttUsersMax) throw new PlatformError("registry.too_many_mqtt_users", { expected: limits.mqttUsersMax });
      if ((await store.insert({ ...user, passwordHash: await hash(password) })) === "duplicate") {
        throw new PlatformError("registry.mqtt_user_taken", { userName });
      }
      return { ...user, password };
    },

    get: async (userName) => withoutHash(await found(userName)),

    async list(page) {
      const { rows, total } = await store.list(page);
      return { ...page, total, items: rows.map(withoutHash) };
    },

    async update(userName, { description, rights }) {
      await found(userName);
      const change = {
        ...(description === undefined ? {} : { description: checkDescription(description) }),
        ...(rights === undefined ? {} : { rights: checkRights(rights) }),
        modifiedAt: clock.now(),
      };
      await store.update(userName, change);
      const user = await found(userName);
      if (change.rights !== undefined) tell({ kind: "rights", userName, rights: user.rights });
      return withoutHash(user);
    },

    async setPassword(userName, wanted) {
      await found(userName);
      const password = checkPassword(wanted);
      await store.update(userName, { passwordHash: await hash(password), modifiedAt: clock.now() });
      verified.forget(userName);
      tell({ kind: "password", userName });
      return { password };
    },

    async remove(userName) {
      if (!(await store.remove(userName))) throw new PlatformError("registry.mqtt_user_not_found", { userName: userName.slice(0, 64) });
      verified.forget(userName);
      tell({ kind: "deleted", userName });
    },

    async verify(userName, password) {
      const row = userNamePattern.test(userName) ? await store.find(userName) : undefined;
      const proof = verified.proofOf(userName, row?.passwordHash ?? dummyHash, password);
      if (row !== undefined && verified.has(userName, proof)) return withoutHash(row);
      const isRight = await verified.once(proof, async () => {
        const { salt, hash: expected } = parseHash(row?.passwordHash ?? dummyHash);
        return timingSafeEqual(await derive(password, salt), expected);
      });
      if (!isRight || row === undefined) return undefined;
      // The user may have been changed or deleted while the hash was computed.
      const current = await store.find(userName);
      if (current?.passwordHash !== row.passwordHash) return undefined;
      verified.keep(userName, proof);
      return withoutHash(current);
    },

    onChange(listener) {
      listeners.push(listener);
    },
  };
}

/**
 * Passwords that were right a moment ago, so that a storm of reconnects does not compute thousands of slow hashes. What is
 * kept is an HMAC over name, stored hash and password under a key of this process: of no use elsewhere, and of none once
 * the stored hash changes.
 */
function createVerifiedPasswords(keyBytes: Buffer, entriesMax: number) {
  // A key object: looking at a key of bytes costs 16 us each time.
  const key = createSecretKey(keyBytes);
  const proofs = new Map<string, string>();
  const running = new Map<string, Promise<boolean>>();
  return {
    proofOf: (userName: string, passwordHash: string, password: Uint8Array): string =>
      createHmac("sha256", key).update(`${userName}\0${passwordHash}\0`).update(password).digest("base64"),
    has(userName: string, proof: string): boolean {
      const known = proofs.get(userName);
      return known !== undefined && timingSafeEqual(Buffer.from(known), Buffer.from(proof));
    },
    keep(userName: string, proof: string): void {
      proofs.delete(userName);
      proofs.set(userName, proof);
      const oldest = proofs.keys().next();
      if (proofs.size > entriesMax && !oldest.done) proofs.delete(oldest.value);
    },
    forget: (userName: string): void => void proofs.delete(userName),
    /** Many connections with the same words at once cost one hash. */
    once(proof: string, check: () => Promise<boolean>): Promise<boolean> {
      const known = running.get(proof);
      if (known !== undefined) return known;
      const result = check().finally(() => running.delete(proof));
      running.set(proof, result);
      return result;
    },
  };
}

/** scrypt in Node's thread pool, a few at a time: the pool also serves the disk. */
function createDerivation({ passwordChecksAtOnceMax, passwordChecksWaitingMax }: MqttUserLimits) {
  let active = 0;
  const waiting: (() => void)[] = [];
  return async (password: Uint8Array, salt: Buffer): Promise<Buffer> => {
    if (active >= passwordChecksAtOnceMax) {
      if (waiting.length >= passwordChecksWaitingMax) {
        throw new PlatformError("registry.password_checks_exceeded", { expected: passwordChecksWaitingMax });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else active += 1;
    try {
      return await new Promise<Buffer>((resolve, reject) =>
        scrypt(password, salt, hashBytes, cost, (error, derived) => (error === null ? resolve(derived) : reject(error))),
      );
    } finally {
      const next = waiting.shift();
      if (next === undefined) active -= 1;
      else next();
    }
  };
}

function formatHash(salt: Buffer, hash: Buffer): string {
  return `scrypt$${cost.N}$${cost.r}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

function parseHash(text: string): { salt: Buffer; hash: Buffer } {
  const [, , , salt = "", hash = ""] = text.split("$");
  const bytes = Buffer.from(hash, "base64");
  return { salt: Buffer.from(salt, "base64"), hash: bytes.length === hashBytes ? bytes : Buffer.alloc(hashBytes) };
}

function withoutHash({ passwordHash: _hash, ...user }: MqttUserRow): MqttUser {
  return user;
}
