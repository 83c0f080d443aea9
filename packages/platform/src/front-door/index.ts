export { type Certificates, type CertificatesOptions, openCertificates, type ServerIdentity } from "./certificates/index.ts";
export type { ClientHello } from "./client-hello.ts";
export type { DeviceHttpHandler, DeviceHttpRequest, DeviceHttpResponse } from "./device-http/device-http.ts";
export { createDeviceRoutes, type DeviceRoute } from "./device-http/device-routes.ts";
export { answerError, answerJson } from "./device-http/http-answer.ts";
export { type FrontDoor, type FrontDoorOptions, type FrontDoorStatistics, openFrontDoor } from "./front-door.ts";
export { defaultFrontDoorLimits, type FrontDoorLimits } from "./limits.ts";
export { formatAddress, type ListenAddress, parseListenAddress } from "./listen-address.ts";
export { defaultFrontDoorTls, type FrontDoorTls } from "./tls-door.ts";
