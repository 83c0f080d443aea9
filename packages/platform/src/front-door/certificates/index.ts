export { type Certificates, type CertificatesOptions, openCertificates, type ServerIdentity } from "./certificates.ts";
