/** Data planes of the AWS dialect on the device ports: with a client certificate, or signed with an access key (AWS reference 2.2, 15). */
import type { ErrorDetails } from "../../errors/index.ts";
import type { DeviceHttpRequest } from "./device-http.ts";
import type { DeviceRoute } from "./device-routes.ts";

export interface AwsDataAnswer {
  status: number;
  /** Names in lower case; `content-type` among them. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  refusal?: { code: string; details: ErrorDetails };
}

export interface AwsDataRoutesPorts {
  answer(request: DeviceHttpRequest): Promise<AwsDataAnswer>;
}

/** All that the planes have; what lies below is theirs to know. */
const paths = ["/topics/*", "/things/*", "/retainedMessage", "/retainedMessage/*", "/connections/*", "/api/things/shadow/*"];

export function createAwsDataRoutes({ answer }: AwsDataRoutesPorts): DeviceRoute[] {
  return paths.map((path) => ({
    method: "ANY",
    path,
    async answer(request) {
      const { status, headers, body, refusal } = await answer(request);
      const { "content-type": contentType = "application/octet-stream", ...others } = headers;
      return { status, contentType, body, headers: others, ...(refusal === undefined ? {} : { refusal }) };
    },
  }));
}
