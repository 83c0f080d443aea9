/** The outgoing HTTP of webhooks, as a port: the engine decides when, this decides how. */

export interface WebhookRequest {
  url: string;
  method: "POST" | "PUT";
  headers: Record<string, string>;
  body: Uint8Array;
  timeoutMilliseconds: number;
  /** Keeps the answer's body up to so many bytes; a longer one is a failure. Absent: only the status counts. */
  answerBytesMax?: number;
}

/** `code` and `reason` go to the device log and the dead letter. */
export type WebhookOutcome =
  | { isDelivered: true; status: number; answer?: Buffer }
  | { isDelivered: false; code: string; reason: string; isRetryable: boolean };

export interface WebhookSender {
  /** Never rejects. */
  send(request: WebhookRequest): Promise<WebhookOutcome>;
  close(): Promise<void>;
}
