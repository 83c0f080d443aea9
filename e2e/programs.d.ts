/** Vendor SDKs bring no types; a test calls them as JavaScript. */
declare module "alibabacloud-iot-device-sdk";
declare module "aliyun-iot-device-sdk";
declare module "aws-iot-device-sdk";
