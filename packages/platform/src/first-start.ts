/** Keys and passwords that a server makes for itself at its first start, and finds again at every later one. */
import { randomBytes, scryptSync } from "node:crypto";
import type { Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { SettingsStore } from "./store/index.ts";

export interface RootCredentials {
  accessKey: { id: string; secret: string };
  /** What was made just now and must be shown once; empty at later starts. */
  news: { name: string; value: string }[];
}

const accessKeySetting = "access-key.root";
const adminPasswordSetting = "admin.password-hash";
const passwordAlphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** Letters and digits that nobody confuses; every draw beyond a multiple of the alphabet is thrown away. */
function drawText(random: Random, length: number): string {
  const limit = 256 - (256 % passwordAlphabet.length);
  let text = "";
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < limit && text.length < length) text += passwordAlphabet[byte % passwordAlphabet.length];
    }
  }
  return text;
}

/** `scrypt$N$r$p$salt$hash`, base64url; the console's log-in compares with it. */
function hashPassword(password: string, salt = randomBytes(16)): string {
  const [cost, blockSize, parallelism] = [16_384, 8, 1];
  const hash = scryptSync(password, salt, 32, { N: cost, r: blockSize, p: parallelism });
  return ["scrypt", cost, blockSize, parallelism, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

/** A configured value wins and is kept; otherwise the stored one; otherwise a new one is made and told. */
export async function openRootCredentials(settings: Settings, store: SettingsStore, random: Random): Promise<RootCredentials> {
  const news: RootCredentials["news"] = [];
  const stored = await store.read(accessKeySetting);
  const known = stored === undefined ? undefined : (JSON.parse(stored) as { id: string; secret: string });
  const accessKey = {
    id: settings.accessKey.id || known?.id || `ts${drawText(random, 18)}`,
    secret: settings.accessKey.secret || known?.secret || drawText(random, 32),
  };
  if (known === undefined && settings.accessKey.secret === "") {
    news.push({ name: "accessKey.id", value: accessKey.id }, { name: "accessKey.secret", value: accessKey.secret });
  }
  if (accessKey.id !== known?.id || accessKey.secret !== known.secret) {
    await store.write(accessKeySetting, JSON.stringify(accessKey), { isSecret: true });
  }
  const hasPassword = (await store.read(adminPasswordSetting)) !== undefined;
  if (!hasPassword && settings.adminPassword === "") {
    const password = drawText(random, 16);
    news.push({ name: "adminPassword", value: password });
    await store.write(adminPasswordSetting, hashPassword(password), { isSecret: true });
  } else if (settings.adminPassword !== "") {
    await store.write(adminPasswordSetting, hashPassword(settings.adminPassword), { isSecret: true });
  }
  return { accessKey, news };
}
