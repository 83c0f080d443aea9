export { type AddressPolicy, bareHost, createAddressPolicy, isAddress } from "./address-policy.ts";
export { createHttpWebhookSender } from "./http-webhook-sender.ts";
export type { WebhookOutcome, WebhookRequest, WebhookSender } from "./webhook-sender.ts";
