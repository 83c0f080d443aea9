export { type Certificates, openCertificates, type ServerIdentity } from "./certificates.ts";
