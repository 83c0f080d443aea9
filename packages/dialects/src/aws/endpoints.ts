/** Regions and host names (AWS reference, endpoint names 2.1). */

/** Regions in which the vendor offers the service, those outside its common partition included. */
export const awsIotRegions = [
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
  "ca-central-1",
  "sa-east-1",
  "eu-central-1",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "eu-north-1",
  "eu-south-1",
  "me-south-1",
  "me-central-1",
  "af-south-1",
  "ap-east-1",
  "ap-south-1",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-northeast-1",
  "ap-northeast-2",
  "cn-north-1",
  "cn-northwest-1",
  "us-gov-east-1",
  "us-gov-west-1",
] as const;

const suffixOf = (region: string) => (region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com");

/** Names for a server certificate: those under which devices and programs look for data, jobs and the control plane. */
export const awsCertificateHosts: readonly string[] = awsIotRegions.flatMap((region) => {
  const host = `iot.${region}.${suffixOf(region)}`;
  return [`*.${host}`, host];
});

const awsHost = /^(?:[a-z0-9-]+\.)*iot\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/;

/** Whether a client that asked for this name (SNI, in lower case) looks for the vendor's cloud. */
export function isAwsHost(serverName: string): boolean {
  return awsHost.test(serverName);
}
