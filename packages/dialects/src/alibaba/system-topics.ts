/** The topics that every device has. Source: alibaba-device.md, 4.3 and 4.4. */

export interface SystemTopic {
  /** Names the row, too: handlers are keyed by it. */
  readonly template: string;
  /** `up` = the device publishes, `down` = it subscribes. */
  readonly direction: "up" | "down" | "both";
  /** Sent to a device with `_ss=1` that never subscribed. */
  readonly isAuto: boolean;
}

const device = "/sys/${productKey}/${deviceName}/";

/** Asked by the device, answered on `…_reply`, which is sent without a SUBSCRIBE under `_ss=1`. */
const askedByDevice = [
  "thing/event/property/post",
  "thing/event/property/batch/post",
  "thing/event/property/history/post",
  "thing/event/${event}/post",
  "thing/model/up_raw",
  "thing/property/desired/get",
  "thing/property/desired/delete",
  "thing/dsltemplate/get",
  "thing/dynamicTsl/get",
  "thing/sub/register",
  "thing/sub/unregister",
  "thing/topo/add",
  "thing/topo/delete",
  "thing/topo/get",
  "thing/list/found",
  "thing/proxy/provisioning/product_register",
  "thing/ota/firmware/get",
  "thing/deviceinfo/update",
  "thing/deviceinfo/delete",
  "thing/config/get",
  "thing/config/log/get",
  "thing/log/post",
  "thing/job/get",
  "thing/job/update",
  "thing/awss/enrollee/match",
  "thing/awss/enrollee/checkin",
  "thing/awss/enrollee/found",
  "thing/cipher/get",
  "thing/reset",
] as const;

/** Asked by the device, answered on `…_reply` only when it subscribed. */
const askedBySubscriber = [
  "thing/event/property/pack/post",
  "thing/file/download",
  "thing/file/upload/mqtt/init",
  "thing/file/upload/mqtt/send",
  "thing/file/upload/mqtt/cancel",
  "_thing/diag/post",
] as const;

/** Asked by the cloud, answered by the device on `…_reply`. */
const askedByCloud = [
  "thing/service/property/set",
  "thing/service/property/get",
  "thing/model/down_raw",
  "thing/topo/add/notify",
  "thing/topo/change",
  "thing/gateway/permit",
  "thing/model/config/push",
  "thing/job/notify",
  "thing/bootstrap/notify",
  "thing/awss/device/switchap",
  "_thing/event/notify",
  "thing/lan/prefix/update",
  "thing/lan/blacklist/update",
  // After the fixed names, so that those keep their own rows.
  "thing/service/${service}",
] as const;

const replyTo = (path: string): string => `${device}${path}_reply`;
const row = (template: string, direction: SystemTopic["direction"], isAuto = false): SystemTopic => ({ template, direction, isAuto });

export const alibabaSystemTopics: readonly SystemTopic[] = [
  ...askedByDevice.flatMap((path) => [row(device + path, "up"), row(replyTo(path), "down", true)]),
  ...askedBySubscriber.flatMap((path) => [row(device + path, "up"), row(replyTo(path), "down")]),
  ...askedByCloud.flatMap((path) => [row(device + path, "down", true), row(replyTo(path), "up")]),
  ...["thing/disable", "thing/enable", "thing/delete"].flatMap((path) => [row(device + path, "down"), row(replyTo(path), "up")]),

  row(`${device}thing/config/push`, "down", true),
  // The Node SDK 1.2.8 subscribes to its own answers here.
  row(`${device}thing/config/push_reply`, "both"),
  row(`${device}thing/config/log/push`, "down", true),
  row(`${device}thing/bootstrap/config/push`, "down", true),
  row(`${device}thing/status/update`, "up"),
  row(`${device}thing/lan/prefix/get`, "up"),
  row(`${device}thing/lan/prefix/get_reply`, "down", true),
  row(`${device}rrpc/request/\${messageId}`, "down", true),
  row(`${device}rrpc/response/\${messageId}`, "up"),
  row(`${device}broadcast/request/\${messageId}`, "down", true),
  row(`${device}edge/debug/switch`, "down"),
  // Wildcards of the documents and SDKs that reach over several rows.
  row(`${device}thing/service/#`, "down"),
  row(`${device}thing/config/#`, "down"),

  ...["login", "logout", "batch_login", "batch_logout"].flatMap((action) => [
    row(`/ext/session/\${productKey}/\${deviceName}/combine/${action}`, "up"),
    row(`/ext/session/\${productKey}/\${deviceName}/combine/${action}_reply`, "down", true),
  ]),
  row("/ext/error/${productKey}/${deviceName}", "down", true),
  row("/ext/ntp/${productKey}/${deviceName}/request", "up"),
  row("/ext/ntp/${productKey}/${deviceName}/response", "down", true),
  row("/ext/register", "down"),
  row("/ext/regnwl", "down"),
  row("/ext/auth/identity/response", "down"),
  row("/ext/network/probe/${messageId}", "both"),

  row("/ota/device/inform/${productKey}/${deviceName}", "up"),
  row("/ota/device/upgrade/${productKey}/${deviceName}", "down", true),
  row("/ota/device/progress/${productKey}/${deviceName}", "up"),
  row("/ota/device/request/${productKey}/${deviceName}", "both", true),

  row("/shadow/update/${productKey}/${deviceName}", "up"),
  row("/shadow/get/${productKey}/${deviceName}", "down", true),

  row("/broadcast/${productKey}/${name}", "down"),
];

/**
 * RRPC on a custom topic (8.4): request and response share `/ext/rrpc/${messageId}${topic}`. It is no row of the table
 * because the topic behind the message id must be checked in its own right.
 */
export const rrpcTopicTemplate = "/ext/rrpc/${messageId}/${topic}";

/** First levels of the system topic families. */
export const systemTopicFamilies: ReadonlySet<string> = new Set(["sys", "ext", "ota", "shadow", "broadcast", "as"]);
