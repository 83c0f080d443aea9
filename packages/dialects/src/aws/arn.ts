/** Amazon Resource Names of one account in one region. */

/** Whose resources they are; both parts stand in every ARN, topic policies included. */
export interface AwsAccount {
  readonly region: string;
  /** 12 digits. */
  readonly accountId: string;
  /**
   * ARNs that come in count whatever region and account they name: there is no other account here, and the policies and programs of a
   * fleet that moves stay as they are. What goes out names the own ones.
   */
  readonly acceptsForeignArns?: boolean;
}

/** `arn:aws:iot:<region>:<account>:<resource>`, e.g. of `thing/esp32`. */
export function arnOf({ region, accountId }: AwsAccount, resource: string): string {
  return `arn:aws:iot:${region}:${accountId}:${resource}`;
}

const anyArn = /^arn:aws(?:-[a-z-]+)?:iot:[a-z0-9-]*:\d*:(.+)$/s;

/** The part after the head, when the ARN is one of this account and region, or of any where those are accepted. */
export function resourceOf(account: AwsAccount, arn: string): string | undefined {
  if (account.acceptsForeignArns === true) return anyArn.exec(arn)?.[1];
  const head = arnOf(account, "");
  return arn.startsWith(head) ? arn.slice(head.length) : undefined;
}
