/** Host names that firmware has built in (Alibaba device reference 1.2 and 1.3): whoever redirects their DNS here is served. */
const regions = [
  "cn-shanghai",
  "us-west-1",
  "ap-southeast-1",
  "ap-northeast-1",
  "eu-central-1",
  "us-east-1",
  "cn-beijing",
  "cn-shenzhen",
] as const;

/** `public.iot-as-mqtt.…` is covered by the wildcard. */
const perRegion = ["*.iot-as-mqtt", "iot-auth", "iot-as-http", "*.iot-as-http2"] as const;

export const vendorHosts: readonly string[] = [
  ...regions.flatMap((region) => perRegion.map((name) => `${name}.${region}.aliyuncs.com`)),
  "iot-auth-global.aliyuncs.com",
  "*.mqtt.iothub.aliyuncs.com",
  "*.itls.cn-shanghai.aliyuncs.com",
];
