/** Amazon Resource Names of one account in one region. */

/** Whose resources they are; both parts stand in every ARN, topic policies included. */
export interface AwsAccount {
  readonly region: string;
  /** 12 digits. */
  readonly accountId: string;
}

/** `arn:aws:iot:<region>:<account>:<resource>`, e.g. of `thing/esp32`. */
export function arnOf({ region, accountId }: AwsAccount, resource: string): string {
  return `arn:aws:iot:${region}:${accountId}:${resource}`;
}

/** The part after the head, when the ARN is one of this account and region. */
export function resourceOf(account: AwsAccount, arn: string): string | undefined {
  const head = arnOf(account, "");
  return arn.startsWith(head) ? arn.slice(head.length) : undefined;
}
