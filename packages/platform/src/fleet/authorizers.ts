/** Custom authorizers as they are kept: the API writes them, the gate asks them. */
import type { FleetRecords } from "./fleet.ts";

export interface Authorizer {
  name: string;
  /** Address of the webhook that decides, where the vendor has a function's ARN. */
  functionArn: string;
  isActive: boolean;
  /** Absent: tokens are not signed. */
  signing?: { tokenKeyName: string; publicKeys: Readonly<Record<string, string>> };
  isCachedForHttp: boolean;
  /** Milliseconds since the epoch. */
  createdAt: number;
  modifiedAt: number;
}

export const authorizerFamily = "authorizers";
const defaultFamily = "default-authorizer";
const defaultName = "account";

export async function findAuthorizer(records: Pick<FleetRecords, "find">, name: string): Promise<Authorizer | undefined> {
  const stored = await records.find(authorizerFamily, name);
  return stored === undefined ? undefined : (stored as Authorizer);
}

/** Its name, for clients that name none. */
export async function findDefaultAuthorizer(records: Pick<FleetRecords, "find">): Promise<string | undefined> {
  const stored = await records.find(defaultFamily, defaultName);
  return stored === undefined ? undefined : (stored as { name: string }).name;
}

export async function setDefaultAuthorizer(records: Pick<FleetRecords, "put" | "remove">, name: string | undefined): Promise<void> {
  if (name === undefined) await records.remove(defaultFamily, defaultName);
  else await records.put(defaultFamily, defaultName, { name });
}
