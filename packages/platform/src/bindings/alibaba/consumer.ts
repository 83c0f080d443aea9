/**
 * Rows of the consumer platform (Wi-Fi provisioning, binding, local network) and the module report: devices send them
 * at every start and go on when they are answered. Source: alibaba-device.md, 4.3 (last rows) and 8.10.
 */
import type { Downlink } from "../../messages/index.ts";
import { readRequest, reply } from "./answers.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { Uplink, UplinkHandler, UplinkHandlers } from "./uplink.ts";

const device = "/sys/${productKey}/${deviceName}/";

const answeredPaths = [
  "thing/awss/enrollee/match",
  "thing/awss/enrollee/checkin",
  "thing/awss/enrollee/found",
  "thing/cipher/get",
  "thing/reset",
  "thing/lan/prefix/get",
];

/** Reports and answers to what nobody here asks: taken, and that is all (8.10). */
const takenPaths = [
  "thing/status/update",
  "thing/awss/device/switchap_reply",
  "_thing/event/notify_reply",
  "thing/lan/prefix/update_reply",
  "thing/lan/blacklist/update_reply",
  "thing/gateway/permit_reply",
  "thing/model/config/push_reply",
  "thing/bootstrap/notify_reply",
];

export function createConsumerHandlers(ports: { downlink: Pick<Downlink, "send">; problems: DeviceProblems }): UplinkHandlers {
  const answer: UplinkHandler = (uplink: Uplink) => {
    const request = readRequest(ports, uplink, ports.problems);
    if (request !== undefined) reply(ports, uplink, request, { code: 200 });
    return undefined;
  };
  const take: UplinkHandler = () => undefined;
  return Object.fromEntries([
    ...answeredPaths.map((path) => [device + path, answer] as const),
    ...takenPaths.map((path) => [device + path, take] as const),
    // A probe of the network comes back to nobody who waits.
    ["/ext/network/probe/${messageId}", take] as const,
  ]);
}
