/** AWS IoT on the wire: pure functions for platform, device SDK and modem. */
export { type AwsAccount, arnOf, resourceOf } from "./arn.ts";
export { type ReservedTopicName, reservedRequestTopics } from "./reserved-topics.ts";
