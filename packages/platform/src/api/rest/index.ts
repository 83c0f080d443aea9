/** The REST API under /api/v1 and its OpenAPI document. */
import swagger from "@fastify/swagger";
import type { TSchema } from "typebox";
import { PlatformError } from "../../errors/index.ts";
import type { ApiPorts } from "../ports.ts";
import { compileValidator } from "../validate.ts";
import { addConfigRoutes } from "./configs.ts";
import { addCredentialRoutes } from "./credentials.ts";
import { addDeadLetterRoutes } from "./dead-letters.ts";
import { addDesiredRoutes } from "./desired.ts";
import { addDeviceBatchRoutes } from "./device-batches.ts";
import { addDeviceCertificateRoutes } from "./device-certificates.ts";
import { addDeviceFileRoutes, addDeviceLineRoutes } from "./device-files.ts";
import { addDeviceLogRoutes } from "./device-log.ts";
import { addTagRoutes, addTopologyRoutes } from "./device-relations.ts";
import { addDeviceRoutes } from "./devices.ts";
import { addEventRoutes } from "./events.ts";
import { addFleetAuthorityRoutes } from "./fleet-authorities.ts";
import { addFleetCertificateRoutes } from "./fleet-certificates.ts";
import { addFleetGroupRoutes } from "./fleet-groups.ts";
import { addFleetPolicyRoutes } from "./fleet-policies.ts";
import { addFleetQuickStartRoute } from "./fleet-quick-start.ts";
import { addFleetThingRoutes } from "./fleet-things.ts";
import { addFleetTypeRoutes } from "./fleet-types.ts";
import { addGroupRoutes } from "./groups.ts";
import { addJobRoutes } from "./jobs.ts";
import { addLogStreamRoute, type LogStreams } from "./log-stream.ts";
import { addMessageRoutes } from "./messages.ts";
import { addMqttUserRoutes } from "./mqtt-users.ts";
import { addOtaFileRoutes } from "./ota-files.ts";
import { addOtaJobRoutes } from "./ota-jobs.ts";
import { addOtaPackageRoutes } from "./ota-packages.ts";
import { addProductRoutes } from "./products.ts";
import { addPropertyRoutes } from "./properties.ts";
import type { RestApp } from "./rest-app.ts";
import { addRuleRoutes } from "./rules.ts";
import { sharedSchemas } from "./schemas.ts";
import { addScriptRoutes } from "./scripts.ts";
import { addServiceRoutes } from "./services.ts";
import { addShadowRoutes } from "./shadows.ts";
import { addThingModelRoutes } from "./thing-models.ts";
import { addTopicRoutes } from "./topics.ts";

export type { RestApp } from "./rest-app.ts";
export type { LogStreams };

const restPrefix = "/api/v1";
const documentPath = "/openapi.json";

export type RestPorts = Omit<ApiPorts, "alibaba" | "aws" | "logger">;

/** Adds every route of the REST API to `app`; all but the document ask for an access key. */
export async function addRestApi(app: RestApp, ports: RestPorts): Promise<LogStreams> {
  const streams: LogStreams[] = [];
  await app.register(
    async (scope: RestApp) => {
      // A scope with schemas of its own does not inherit a compiler: it is set here, where it is needed.
      scope.setValidatorCompiler<TSchema>(({ schema, httpPart }) => compileValidator(schema, httpPart ?? "body"));
      // Answers are built member by member in views.ts and checked against their schemas by the tests; compiling a serialiser
      // for every route and status took most of the time that the API needs to open.
      scope.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
      for (const schema of sharedSchemas) scope.addSchema(schema);
      await scope.register(swagger, {
        openapi: {
          openapi: "3.1.0",
          info: {
            title: "Thingstead REST API",
            description:
              "Products, devices, topics, thing models, what devices report, things with certificates and policies, rules, messages and the device log of this server.",
            version: ports.status().version,
            license: { name: "Apache-2.0", identifier: "Apache-2.0" },
          },
          components: {
            securitySchemes: { accessKey: { type: "http", scheme: "bearer", description: "Bearer <keyId>:<secret>" } },
          },
          security: [{ accessKey: [] }],
        },
        refResolver: { buildLocalReference: (json, _base, _fragment, index) => (typeof json.$id === "string" ? json.$id : `def-${index}`) },
      });
      scope.addHook("onRequest", async (request, reply) => {
        void reply.header("cache-control", "no-store");
        if (request.routeOptions.url !== `${restPrefix}${documentPath}`) checkAccessKey(request, ports);
      });
      addProductRoutes(scope, ports);
      addTopicRoutes(scope, ports);
      addDeviceRoutes(scope, ports);
      addDeviceBatchRoutes(scope, ports);
      addTagRoutes(scope, ports);
      addTopologyRoutes(scope, ports);
      addGroupRoutes(scope, ports);
      addDeviceCertificateRoutes(scope, ports);
      addCredentialRoutes(scope, ports);
      addFleetQuickStartRoute(scope, ports);
      addFleetThingRoutes(scope, ports);
      addFleetTypeRoutes(scope, ports);
      addFleetGroupRoutes(scope, ports);
      addFleetCertificateRoutes(scope, ports);
      addFleetAuthorityRoutes(scope, ports);
      addFleetPolicyRoutes(scope, ports);
      addMessageRoutes(scope, ports);
      addThingModelRoutes(scope, ports);
      addPropertyRoutes(scope, ports);
      addEventRoutes(scope, ports);
      addServiceRoutes(scope, ports);
      addScriptRoutes(scope, ports);
      addDesiredRoutes(scope, ports);
      addMqttUserRoutes(scope, ports);
      addRuleRoutes(scope, ports);
      addDeadLetterRoutes(scope, ports);
      addDeviceLogRoutes(scope, ports);
      addShadowRoutes(scope, ports);
      addConfigRoutes(scope, ports);
      addDeviceFileRoutes(scope, ports);
      addDeviceLineRoutes(scope, ports);
      addJobRoutes(scope, ports);
      addOtaPackageRoutes(scope, ports);
      await addOtaFileRoutes(scope, ports);
      streams.push(addOtaJobRoutes(scope, ports), addLogStreamRoute(scope, ports));
      scope.get(documentPath, { schema: { hide: true } }, async () => scope.swagger());
    },
    { prefix: restPrefix },
  );
  return {
    endAll() {
      for (const each of streams) each.endAll();
    },
  };
}

/** `Authorization: Bearer <keyId>:<secret>`; the scheme in any letter case (RFC 9110 section 11.1). */
function checkAccessKey(request: { headers: { authorization?: string | undefined }; ip: string }, ports: RestPorts): void {
  ports.failedAuth.admit(request.ip);
  const authorization = request.headers.authorization;
  const match = /^bearer +([^:\s]+):(\S+)$/i.exec(authorization ?? "");
  if (match === null) {
    if (authorization !== undefined) ports.failedAuth.failed(request.ip);
    throw new PlatformError("api.credentials_missing", {
      received: authorization === undefined ? "no Authorization header" : `the scheme ${authorization.split(" ", 1)[0]?.slice(0, 20)}`,
    });
  }
  const [, keyId = "", secret = ""] = match;
  if (ports.accessKeys.verifyBearer(keyId, secret)) return;
  ports.failedAuth.failed(request.ip);
  throw new PlatformError("api.access_key_invalid", { keyId: keyId.slice(0, 64) });
}
