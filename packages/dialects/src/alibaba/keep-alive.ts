/** Keep-alive windows. Source: alibaba-device.md, 3 and Appendix B. */
import type { DialectRefusal, KeepAlivePolicy } from "../dialect.ts";

/** What the live service does: below 30 s refused, above 1200 s accepted and counted as 1200 s. */
export const alibabaKeepAlivePolicy: KeepAlivePolicy = { minimumSeconds: 30, maximumSeconds: 1200, aboveMaximum: "clamp" };

/** The window of the older documents. Firmware on the vendor's C SDK 4 (1200 s) cannot connect under it. */
export const alibabaStrictKeepAlivePolicy: KeepAlivePolicy = { minimumSeconds: 60, maximumSeconds: 300, aboveMaximum: "refuse" };

/** The keep-alive to count with. 0 (none) is outside every window. */
export function applyKeepAlive(requestedSeconds: number, policy: KeepAlivePolicy): { kind: "accepted"; seconds: number } | DialectRefusal {
  const isTooShort = requestedSeconds < policy.minimumSeconds || requestedSeconds === 0;
  if (isTooShort || (requestedSeconds > policy.maximumSeconds && policy.aboveMaximum === "refuse")) {
    return {
      kind: "refused",
      code: "access.keep_alive_out_of_range",
      received: `${requestedSeconds} s`,
      expected: `${policy.minimumSeconds} to ${policy.maximumSeconds} s`,
    };
  }
  return { kind: "accepted", seconds: Math.min(requestedSeconds, policy.maximumSeconds) };
}
