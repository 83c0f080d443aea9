export { type AddressPolicy, type AddressPolicySettings, createAddressPolicy } from "./address-policy.ts";
export { createHttpWebhookSender, type HttpWebhookPorts } from "./http-webhook-sender.ts";
export type { WebhookOutcome, WebhookRequest, WebhookSender } from "./webhook-sender.ts";
