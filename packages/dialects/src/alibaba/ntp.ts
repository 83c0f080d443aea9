/** The time over MQTT. Source: alibaba-device.md, 8.3. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The text to send back, or undefined for what is no request. Milliseconds; numbers are texts unless the device's is a number. */
export function answerTimeRequest(payload: Uint8Array, receivedAt: number, now: number): Uint8Array | undefined {
  let request: unknown;
  try {
    request = JSON.parse(decoder.decode(payload));
  } catch {
    return undefined;
  }
  if (typeof request !== "object" || request === null || Array.isArray(request)) return undefined;
  const { deviceSendTime } = request as { deviceSendTime?: unknown };
  const times = { serverRecvTime: receivedAt, serverSendTime: now };
  if (typeof deviceSendTime === "number") return encoder.encode(JSON.stringify({ deviceSendTime, ...times }));
  const texts = { serverRecvTime: String(receivedAt), serverSendTime: String(now) };
  const echoed = typeof deviceSendTime === "string" ? deviceSendTime.slice(0, timeCharactersMax) : "0";
  return encoder.encode(JSON.stringify({ deviceSendTime: echoed, ...texts }));
}

const timeCharactersMax = 64;
