import { signConnect } from "@thingstead/dialects";
import { Type } from "typebox";
import { PlatformError } from "../../errors/index.ts";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { credentialsRef, devicePath, errorAnswers } from "./schemas.ts";

const secureModes = { tcp: 3, tls: 2 } as const;

/** Every device port takes plain and TLS connections; of several, the one that people expect is named. */
const usualPort = { tcp: 1883, tls: 8883 } as const;

export function addCredentialRoutes(app: RestApp, { registry, status, host }: Pick<ApiPorts, "registry" | "status" | "host">): void {
  app.get(
    "/products/:productKey/devices/:deviceName/credentials",
    {
      schema: {
        summary: "Connection parameters of a device for a plain MQTT client",
        operationId: "getDeviceCredentials",
        tags: ["devices"],
        params: devicePath,
        querystring: Type.Object({ mode: Type.Enum(["tcp", "tls"], { default: "tls" }) }, { additionalProperties: false }),
        response: { 200: credentialsRef, ...errorAnswers(404, 409) },
      },
    },
    async ({ params, query: { mode } }) => {
      const { productKey, deviceName, deviceSecret } = await registry.getDevice(params.productKey, params.deviceName);
      const ports = status().listen.device.map(portOf);
      const port = ports.find((candidate) => candidate === usualPort[mode]) ?? ports[0];
      if (port === undefined) throw new PlatformError("api.no_device_port");
      return { mode, host, port, ...signConnect({ productKey, deviceName, deviceSecret, secureMode: secureModes[mode] }) };
    },
  );
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
