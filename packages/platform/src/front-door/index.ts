export { createCertificateRequests } from "./certificate-requests.ts";
export { openCertificates } from "./certificates/index.ts";
export { createDeviceRoutes } from "./device-http/device-routes.ts";
export { createDownloadRoutes } from "./device-http/download-routes.ts";
export { createLinkedFileRoutes } from "./device-http/linked-file-routes.ts";
export { createRegistrationRoutes } from "./device-http/registration-routes.ts";
export { openFrontDoor } from "./front-door.ts";
export { defaultFrontDoorLimits } from "./limits.ts";
