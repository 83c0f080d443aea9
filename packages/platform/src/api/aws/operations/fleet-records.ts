/** Families that are kept as given under a name: role aliases, domain configurations, billing groups (aws-iot.md, 4 and 16). */
import { PlatformError } from "../../../errors/index.ts";
import type { CursorPage, Fleet } from "../../../fleet/index.ts";
import { refuseMember } from "../members.ts";
import type { ResourceKind, ResourceNames } from "./resources.ts";

export interface RecordBook<T extends object> {
  /** Throws `aws.record_exists`, which tells the ARN. */
  insert(name: string, value: T): Promise<void>;
  /** Throws `aws.record_not_found`. */
  get(name: string): Promise<T>;
  put(name: string, value: T): Promise<void>;
  /** Throws `aws.record_not_found`. */
  remove(name: string): Promise<void>;
  list(page: CursorPage): Promise<{ items: { name: string; value: T }[]; nextToken?: string }>;
}

interface RecordBookOptions {
  fleet: Pick<Fleet, "records">;
  names: ResourceNames;
  kind: ResourceKind;
  /** Where it is kept. */
  family: string;
  /** In errors. */
  noun: string;
  pattern: RegExp;
  expected: string;
}

/** Written by this book only: what is read has the shape of what was written. */
export function createRecordBook<T extends object>({
  fleet,
  names,
  kind,
  family,
  noun,
  pattern,
  expected,
}: RecordBookOptions): RecordBook<T> {
  const { records } = fleet;
  const get = async (name: string): Promise<T> => {
    const value = await records.find(family, name);
    if (value === undefined) throw new PlatformError("aws.record_not_found", { family: noun, name });
    return value as T;
  };
  return {
    get,
    async insert(name, value) {
      if (!pattern.test(name)) refuseMember(`the name of the ${noun}`, name, expected);
      if (await records.insert(family, name, value)) return;
      throw new PlatformError("aws.record_exists", { family: noun, name, resourceId: name, resourceArn: names.arn(kind, name) });
    },
    put: (name, value) => records.put(family, name, value),
    async remove(name) {
      if (!(await records.remove(family, name))) throw new PlatformError("aws.record_not_found", { family: noun, name });
    },
    async list(page) {
      const { items, ...rest } = await records.list(family, page);
      return { items: items.map(({ name, value }) => ({ name, value: value as T })), ...rest };
    },
  };
}
