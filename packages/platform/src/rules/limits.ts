/** Every bound of the rule room in one place. The platform's settings merge over the defaults. */
export interface RuleLimits {
  rulesMax: number;
  /** [alibaba-server 2.8] at most 10 actions on a rule. */
  actionsPerRuleMax: number;
  nameCharactersMax: number;
  /** [aws-iot 16] of a rule in AWS SQL. */
  awsNameCharactersMax: number;
  descriptionCharactersMax: number;
  /** Characters of one statement. */
  sqlCharactersMax: number;
  /** Brackets, CASE and runs of NOT or minus inside each other. */
  sqlNestingMax: number;
  /** [alibaba-server 2.1] entries of a SELECT list. */
  fieldsMax: number;
  /** Problems reported for one statement; the rest is left out. */
  problemsMax: number;
  /** JSON of one action. */
  actionBytesMax: number;
  topicBytesMax: number;
  /** Topics whose matching rules are remembered. */
  topicCacheMax: number;
  /** Messages waiting for evaluation; above it a QoS 0 message is dropped and counted. */
  queueMessagesMax: number;
  /** Messages evaluated and stored together: transactions stay short and one turn stays fair to the sockets. */
  batchMessagesMax: number;
  /** QoS 1 and 2 messages that wait for their durable part; above it their promise is refused, so no PUBACK goes out. */
  unacknowledgedMessagesMax: number;
  /** Longest text that concat and replace may make on the way. */
  textCharactersMax: number;
  /** Shadow documents that the rules of one message may read. */
  shadowReadsPerMessageMax: number;
  /** Longest payload a rule may produce. */
  resultBytesMax: number;
  /** Times a message may be republished by rules before the chain is cut. */
  hopsMax: number;
  /** Messages that rules may make of one message, over all branches and hops. */
  republishedPerMessageMax: number;
  /** Webhook calls owed by one rule and by all rules together. */
  pendingPerRuleMax: number;
  pendingMax: number;
  pendingBytesMax: number;
  /** Webhook calls under way at once. */
  concurrencyPerRuleMax: number;
  concurrencyPerHostMax: number;
  /** [alibaba-server 2.8] writes in flight. */
  concurrencyMax: number;
  /** Wait before each further try; their number is the number of retries. [alibaba-server 2.8] 1 s, 3 s, 10 s. */
  retryDelaysMilliseconds: readonly number[];
  /** Up to this share of a delay is added at random so that retries of many messages spread out. 0 = none. */
  retryJitterShareMax: number;
  webhookTimeoutMilliseconds: number;
  webhookTimeoutMillisecondsMax: number;
  webhookHeadersMax: number;
  webhookHeaderBytesMax: number;
  webhookUrlCharactersMax: number;
  /** Of a webhook's answer; the rest is not read. */
  webhookAnswerBytesMax: number;
  /** The oldest goes when one more comes. */
  deadLettersPerRuleMax: number;
  /** Least time between two commits that delete finished deliveries; what finished within it may repeat after a crash. */
  paidPauseMilliseconds: number;
  /** Wait before a failed write to the store is tried again. */
  storeRetryMilliseconds: number;
  pageSizeMax: number;
}

export const defaultRuleLimits: RuleLimits = {
  rulesMax: 1000,
  actionsPerRuleMax: 10,
  nameCharactersMax: 64,
  awsNameCharactersMax: 128,
  descriptionCharactersMax: 256,
  sqlCharactersMax: 16_384,
  sqlNestingMax: 32,
  fieldsMax: 50,
  problemsMax: 20,
  actionBytesMax: 65_536,
  topicBytesMax: 256,
  topicCacheMax: 10_000,
  queueMessagesMax: 10_000,
  batchMessagesMax: 500,
  unacknowledgedMessagesMax: 50_000,
  textCharactersMax: 1_048_576,
  shadowReadsPerMessageMax: 8,
  resultBytesMax: 262_144,
  hopsMax: 8,
  republishedPerMessageMax: 1000,
  pendingPerRuleMax: 10_000,
  pendingMax: 50_000,
  pendingBytesMax: 67_108_864,
  concurrencyPerRuleMax: 8,
  concurrencyPerHostMax: 16,
  concurrencyMax: 40,
  retryDelaysMilliseconds: [1000, 3000, 10_000],
  retryJitterShareMax: 0.2,
  webhookTimeoutMilliseconds: 5000,
  webhookTimeoutMillisecondsMax: 30_000,
  webhookHeadersMax: 20,
  webhookHeaderBytesMax: 4096,
  webhookUrlCharactersMax: 2048,
  webhookAnswerBytesMax: 65_536,
  deadLettersPerRuleMax: 1000,
  paidPauseMilliseconds: 50,
  storeRetryMilliseconds: 1000,
  pageSizeMax: 1000,
};
