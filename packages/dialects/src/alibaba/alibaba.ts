/** The dialect of Alibaba Cloud IoT Platform (阿里云物联网平台). Source: alibaba-device.md, 1 to 4. */
import type { Dialect } from "../dialect.ts";
import { isAutomatic, traitsOf } from "./automatic-topics.ts";
import { identifyConnect } from "./connect.ts";
import { parseTopicOwner, parseUserName } from "./identity.ts";
import { applyKeepAlive } from "./keep-alive.ts";
import { alibabaPreAuth } from "./pre-auth.ts";
import { refusalCodesOf } from "./refusals.ts";
import { alibabaRegistration, announceIdentity } from "./registration.ts";
import { compileRights } from "./rights.ts";
import { verifyConnect } from "./signing.ts";
import { deviceOfTopic } from "./topic-device.ts";

export const alibabaDialect: Dialect & Required<Pick<Dialect, "preAuth" | "registration" | "rrpcTopics" | "broadcastTopics">> = {
  name: "alibaba",
  behaviour: {
    qosMax: 1,
    // MQTT knows no answer that says "QoS 2 refused": a client whose publish is dropped waits for PUBREC for ever and
    // its owner never learns why. [MQTT-3.2.2-11] has the server disconnect, and the device log then tells the reason.
    onQosAboveMax: "disconnect",
    retain: "deliver",
    will: "ignore",
    wildcards: true,
    sharedSubscriptions: false,
    deliveryQos: "publisher",
    onPublishRefused: "acknowledge",
  },
  identify: identifyConnect,
  verify: verifyConnect,
  keepAlive: applyKeepAlive,
  refusalCodes: refusalCodesOf,
  claimedDevice: parseUserName,
  topicOwner: parseTopicOwner,
  compileRights,
  deviceOf: deviceOfTopic,
  traitsOf,
  isAutomatic,
  rrpcTopics: {
    request: (productKey, deviceName, messageId) => `/sys/${productKey}/${deviceName}/rrpc/request/${messageId}`,
    custom: (messageId, topic) => `/ext/rrpc/${messageId}${topic}`,
  },
  broadcastTopics: {
    request: (productKey, deviceName, messageId) => `/sys/${productKey}/${deviceName}/broadcast/request/${messageId}`,
    productOf: (topic) => /^\/broadcast\/([^/]+)\/[^/]+$/.exec(topic)?.[1],
  },
  preAuth: alibabaPreAuth,
  registration: alibabaRegistration,
  announceIdentity,
};
