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

const awsHost = /^(?:[a-z0-9-]+\.)*iot\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/;

/** Whether a client that asked for this name (SNI, in lower case) looks for the vendor's cloud. */
export function isAwsHost(serverName: string): boolean {
  return awsHost.test(serverName);
}
