import type { Clock, Random } from "../../clock.ts";
import { readOptionalFile, writeFileSafely } from "./certificate-files.ts";

/** Node's layout: 16 bytes name, 16 bytes HMAC key, 16 bytes AES key. */
const ticketKeyBytes = 48;
/** Whoever gets the key can read recorded sessions that were resumed with it: it must not live for ever. */
const ticketKeyDaysMax = 7;
const dayMilliseconds = 86_400_000;

/** Loads the ticket key, or draws a new one when it is missing, damaged or old: the cost is one full handshake a client. */
export async function loadTicketKeys(file: string, { clock, random }: { clock: Pick<Clock, "now">; random: Random }): Promise<Buffer> {
  const now = clock.now();
  const stored = parseTicketKeys(await readOptionalFile(file));
  const age = stored === undefined ? Number.POSITIVE_INFINITY : now - stored.createdAt;
  if (stored !== undefined && age >= 0 && age < ticketKeyDaysMax * dayMilliseconds) return stored.key;
  const key = random.bytes(ticketKeyBytes);
  await writeFileSafely(file, JSON.stringify({ createdAt: now, key: key.toString("base64") }), 0o600);
  return key;
}

function parseTicketKeys(text: string | undefined): { createdAt: number; key: Buffer } | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("createdAt" in value) || !("key" in value)) return undefined;
    if (typeof value.createdAt !== "number" || typeof value.key !== "string") return undefined;
    const key = Buffer.from(value.key, "base64");
    return key.length === ticketKeyBytes ? { createdAt: value.createdAt, key } : undefined;
  } catch {
    return undefined;
  }
}
