import type { Fleet } from "../../fleet/index.ts";

/** What is made again under its name begins without tags. */
export async function forgetTagsOf({ resourceTags }: Pick<Fleet, "resourceTags">, arn: string): Promise<void> {
  const keys = Object.keys(await resourceTags.of(arn));
  if (keys.length > 0) await resourceTags.remove(arn, keys);
}
