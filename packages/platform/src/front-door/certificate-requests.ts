/** Which TLS clients are asked for a certificate. */
import { isAwsHost } from "@thingstead/dialects";
import type { ClientHello } from "./client-hello.ts";

/**
 * `auto`: everybody but those who show that they have none, or that their stack is so old that the question itself may be too
 * much. `x509-hosts`: those who name a host `x509.…` only.
 */
export type CertificateRequestMode = "auto" | "x509-hosts" | "always" | "never";

/** @param hello undefined when it came in several records */
export type CertificateRequests = (hello: ClientHello | undefined, localPort: number) => boolean;

/** AWS reference 2.2: with these a client certificate is mandatory. */
const certificateProtocols: readonly string[] = ["x-amzn-mqtt-ca", "x-amzn-http-ca"];

const tls13 = 0x0304;
/** First byte of the ECDHE suites, RFC 4492 and RFC 7905. */
const ellipticSuites = 0xc0;
const chachaSuites = 0xcc;

export function createCertificateRequests(mode: CertificateRequestMode, certificatePorts: readonly number[]): CertificateRequests {
  switch (mode) {
    case "always":
      return () => true;
    case "never":
      return () => false;
    case "x509-hosts":
      return (hello) => isX509Host(hello?.serverName);
    case "auto":
      return (hello, localPort) => {
        // A hello in several records is a long one: none of an old stack.
        if (hello === undefined) return true;
        const { serverName, alpn } = hello;
        if (isX509Host(serverName) || certificateProtocols.some((name) => alpn.includes(name))) return true;
        if (serverName?.endsWith(".aliyuncs.com") === true || alpn.includes("mqtt")) return false;
        return isModern(hello) || certificatePorts.includes(localPort) || (serverName !== undefined && isAwsHost(serverName));
      };
  }
}

/** Knows TLS 1.3 or a key exchange with elliptic curves, as every stack of the last ten years. */
function isModern({ version, cipherSuites }: ClientHello): boolean {
  return version >= tls13 || cipherSuites.some((suite) => suite >> 8 === ellipticSuites || suite >> 8 === chachaSuites);
}

function isX509Host(serverName: string | undefined): boolean {
  return serverName?.startsWith("x509.") === true;
}
