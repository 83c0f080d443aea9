/** Regions and host names. Source: alibaba-device.md, 1.2 and 1.3. */

/** Regions that firmware may have burnt in: the five of the oldest SDKs first, then later ones. */
export const alibabaRegions = [
  "cn-shanghai",
  "us-west-1",
  "ap-southeast-1",
  "ap-northeast-1",
  "eu-central-1",
  "us-east-1",
  "cn-beijing",
  "cn-shenzhen",
] as const;

export interface Endpoint {
  host: string;
  /** In the order devices try them. */
  ports: readonly number[];
}

/** Where a device of this product looks for the cloud. */
export function endpoints(options: { region: string; productKey: string }): {
  mqtt: Endpoint;
  /** Where HTTPS pre-authentication sends devices. */
  mqttShared: Endpoint;
  /** HTTPS pre-authentication, dynamic registration, bootstrap. */
  auth: Endpoint;
  http: Endpoint;
} {
  const { region, productKey } = options;
  return {
    mqtt: { host: `${productKey}.iot-as-mqtt.${region}.aliyuncs.com`, ports: [1883, 443] },
    mqttShared: { host: `public.iot-as-mqtt.${region}.aliyuncs.com`, ports: [1883] },
    auth: { host: `iot-auth.${region}.aliyuncs.com`, ports: [443] },
    http: { host: `iot-as-http.${region}.aliyuncs.com`, ports: [443] },
  };
}

/**
 * Names for a server certificate, so that devices which check the host name find the one they asked for when their DNS
 * leads here. Old TLS stacks have 4–8 KB for the whole chain: this list keeps the certificate below 2.5 KB.
 */
export const alibabaCertificateHosts: readonly string[] = [
  ...alibabaRegions.flatMap((region) => {
    const names = endpoints({ region, productKey: "*" });
    return [names.mqtt.host, names.auth.host, names.http.host, `*.iot-as-http2.${region}.aliyuncs.com`];
  }),
  "*.mqtt.iothub.aliyuncs.com",
  "iot-auth-global.aliyuncs.com",
  "*.itls.cn-shanghai.aliyuncs.com",
];
