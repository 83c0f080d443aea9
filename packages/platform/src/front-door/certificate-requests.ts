/** Which TLS clients are asked for a certificate. */
import { isAwsHost } from "@thingstead/dialects";
import type { ClientHello } from "./client-hello.ts";

/**
 * `auto`: those who show by host name, protocol or port that they may have one. `x509-hosts`: those who name a host `x509.…` only.
 */
export type CertificateRequestMode = "auto" | "x509-hosts" | "always" | "never";

/** @param hello undefined when it came in several records */
export type CertificateRequests = (hello: ClientHello | undefined, localPort: number) => boolean;

/** AWS reference 2.2: with these a client certificate is mandatory. */
const certificateProtocols: readonly string[] = ["x-amzn-mqtt-ca", "x-amzn-http-ca"];

export function createCertificateRequests(mode: CertificateRequestMode, certificatePorts: readonly number[]): CertificateRequests {
  switch (mode) {
    case "always":
      return () => true;
    case "never":
      return () => false;
    case "x509-hosts":
      return (hello) => isX509Host(hello?.serverName);
    case "auto":
      return (hello, localPort) =>
        isX509Host(hello?.serverName) ||
        (hello?.serverName !== undefined && isAwsHost(hello.serverName)) ||
        certificateProtocols.some((name) => hello?.alpn.includes(name) === true) ||
        // Devices of the AWS kind often name no host there; those of the other cloud have ports of their own.
        (certificatePorts.includes(localPort) && hello?.serverName?.endsWith(".aliyuncs.com") !== true);
  }
}

function isX509Host(serverName: string | undefined): boolean {
  return serverName?.startsWith("x509.") === true;
}
