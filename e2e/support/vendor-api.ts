/** The vendor's own server SDK, @alicloud/iot20180120, pointed at our server. */
import { createRequire } from "node:module";
import { type ServerProcess, testAccessKey } from "./server-process.ts";

const require = createRequire(import.meta.url);
const Iot = require("@alicloud/iot20180120");
const OpenApi = require("@alicloud/openapi-client");

/** `callVendorApi(server, "queryProduct", { productKey })`; the answer's members are the SDK's. */
// biome-ignore lint/suspicious/noExplicitAny: the SDK's members are looked at by name, as its users do.
export async function callVendorApi(server: Pick<ServerProcess, "httpPort">, name: string, parameters: object): Promise<any> {
  const config = new OpenApi.Config({
    accessKeyId: testAccessKey.id,
    accessKeySecret: testAccessKey.secret,
    endpoint: `127.0.0.1:${server.httpPort}`,
    protocol: "http",
  });
  const request = new Iot[`${name[0]?.toUpperCase()}${name.slice(1)}Request`](parameters);
  return (await new Iot.default(config)[name](request)).body;
}
