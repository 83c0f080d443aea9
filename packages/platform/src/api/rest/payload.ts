/** A payload in a JSON body: text, or bytes in base64. */
import { Type } from "typebox";
import { PlatformError } from "../../errors/index.ts";

export const payloadMembers = {
  payload: Type.Optional(Type.String({ description: "Payload as text (sent as UTF-8)." })),
  payloadBase64: Type.Optional(Type.String({ description: "Payload as bytes, in base64." })),
};

export function decodePayload(body: { payload?: string; payloadBase64?: string }, path: string): Buffer {
  const { payload, payloadBase64 } = body;
  if ((payload === undefined) === (payloadBase64 === undefined)) {
    throw new PlatformError("api.request_invalid", {
      path,
      received: payload === undefined ? "neither payload nor payloadBase64" : "payload and payloadBase64",
      expected: "one of the two",
    });
  }
  if (payload !== undefined) return Buffer.from(payload, "utf8");
  const text = payloadBase64 ?? "";
  const bytes = Buffer.from(text, "base64");
  // Buffer.from skips what it does not know; the way back shows whether anything was skipped.
  if (bytes.toString("base64").replace(/=+$/, "") !== text.replace(/=+$/, "")) {
    throw new PlatformError("api.request_invalid", {
      path: `${path}/payloadBase64`,
      received: JSON.stringify(text.slice(0, 80)),
      expected: "base64 (RFC 4648 section 4)",
    });
  }
  return bytes;
}
