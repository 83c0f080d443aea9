/** What a device asks for, in the envelope of thing messages. The cloud's side is in `alink.ts`. Source: alibaba-device.md, 5.1. */

const encoder = new TextEncoder();

/** Device's side. Members in the order of the vendor's Node SDK; `sys` only when no reply is wanted. */
export function formatDeviceRequest(request: { id: string; method: string; params: unknown; wantsReply?: boolean }): Uint8Array {
  const { id, method, params, wantsReply = true } = request;
  return encoder.encode(JSON.stringify({ id, version: "1.0", ...(wantsReply ? {} : { sys: { ack: 0 } }), params, method }));
}

/** Device's side: the shorter envelope of logins, logouts and file uploads (6.3, 8.9). */
export function formatBareRequest(request: { id: string; params: unknown }): Uint8Array {
  const { id, params } = request;
  return encoder.encode(JSON.stringify({ id, params }));
}

/** Device's side: the answer to what the cloud asked. `message` tells why it is no success. */
export function formatDeviceReply(reply: { id: string | number; code: number; data?: unknown; message?: string }): Uint8Array {
  const { id, code, data = {}, message } = reply;
  return encoder.encode(JSON.stringify({ id, code, data, ...(message === undefined ? {} : { message }) }));
}

/** `thing.service.blink` -> `blink`; undefined for a method that is no service's. */
export function serviceOfMethod(method: string): string | undefined {
  const prefix = "thing.service.";
  return method.startsWith(prefix) ? method.slice(prefix.length) : undefined;
}
