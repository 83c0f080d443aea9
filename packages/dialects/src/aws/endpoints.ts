/** Host names (AWS reference, endpoint names 2.1). */

const suffixOf = (region: string) => (region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com");

/**
 * Names for a server certificate: those under which devices and programs of the region look for data, jobs, credentials and the control
 * plane. One region's only: its name stands in every policy as well, and old TLS stacks have little room for a certificate.
 */
export function awsCertificateHosts(region: string): readonly string[] {
  const host = `iot.${region}.${suffixOf(region)}`;
  return [host, `*.${host}`, `*.jobs.${host}`, `*.credentials.${host}`];
}

/** Where the vendor offers the service. */
const regions =
  "us-east-1 us-east-2 us-west-1 us-west-2 us-gov-east-1 us-gov-west-1 ca-central-1 sa-east-1 af-south-1 me-south-1 me-central-1 " +
  "eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 " +
  "ap-east-1 ap-south-1 ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 cn-north-1 cn-northwest-1";

/** Data endpoints of every region: devices have one of them built in. For a certificate that only they are shown. */
export const awsDeviceHosts: readonly string[] = regions.split(" ").map((region) => `*.iot.${region}.${suffixOf(region)}`);

const awsHost = /^(?:[a-z0-9-]+\.)*iot\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/;

/** Whether a client that asked for this name (SNI, in lower case) looks for the vendor's cloud. */
export function isAwsHost(serverName: string): boolean {
  return awsHost.test(serverName);
}
