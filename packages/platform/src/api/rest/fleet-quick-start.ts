/** One call from nothing to a device that may connect. */
import { type Static, Type } from "typebox";
import type { QuickStarted } from "../../fleet/index.ts";
import type { ApiPorts } from "../ports.ts";
import { fleetCertificateSchema, toFleetCertificateView } from "./fleet-certificates.ts";
import { attributesSchema, strict, fleetTags as tags } from "./fleet-schemas.ts";
import { thingSchema, toThingView } from "./fleet-things.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers } from "./schemas.ts";

/** The port of the vendor's guides. */
const usualPort = 8883;

const fileNames = {
  certificate: "device.pem.crt",
  privateKey: "private.pem.key",
  publicKey: "public.pem.key",
  ca: "Amazon-root-CA-1.pem",
} as const;

const endpointSchema = Type.Object(
  {
    host: Type.String({ description: "What the device has to reach; its certificate bears this name." }),
    port: Type.Integer({ description: "8883 when this server listens there." }),
    ports: Type.Array(Type.Integer(), { description: "All device ports." }),
  },
  strict,
);

const startedSchema = Type.Object(
  {
    thing: thingSchema,
    clientId: Type.String(),
    certificate: fleetCertificateSchema,
    policy: Type.Object({ policyName: Type.String(), document: Type.String() }, strict),
    endpoint: endpointSchema,
    files: Type.Record(Type.String(), Type.String(), {
      description:
        "PEM by the vendor's names: device.pem.crt, Amazon-root-CA-1.pem (the CA of this server), and of keys made here private.pem.key (told this once and kept nowhere) and public.pem.key.",
    }),
  },
  strict,
);

export function addFleetQuickStartRoute(
  app: RestApp,
  { quickStart, fleetDoor, status, limits }: Pick<ApiPorts, "quickStart" | "fleetDoor" | "status" | "limits">,
): void {
  const wish = Type.Object(
    {
      thingName: Type.String(),
      clientId: Type.Optional(Type.String({ description: "Absent: the thing's name." })),
      typeName: Type.Optional(Type.String()),
      attributes: Type.Optional(attributesSchema),
      groupNames: Type.Optional(Type.Array(Type.String(), { maxItems: limits.quickStartGroupsMax })),
      policy: Type.Optional(
        Type.Union(
          [
            Type.Object({ topics: Type.Array(Type.String(), { maxItems: limits.quickStartTopicsMax }) }, strict),
            Type.Object({ policyName: Type.String() }, strict),
            Type.Object({ allowsEverything: Type.Literal(true) }, strict),
          ],
          {
            description:
              "A new policy for the client id, these topics and filters and the thing's own reserved topics; a policy that exists; or a new one that allows everything. Absent: the topics below the thing's name.",
          },
        ),
      ),
      credential: Type.Optional(
        Type.Union([Type.Object({ csr: Type.String() }, strict), Type.Object({ certificate: Type.String() }, strict)], {
          description: "PEM: a request for a key that the device keeps, or a certificate that it has already. Absent: keys are made here.",
        }),
      ),
    },
    strict,
  );

  app.post(
    "/fleet/quick-start",
    {
      schema: {
        summary: "Make a thing, its certificate and a policy for it, attached to each other: all or none",
        operationId: "quickStartThing",
        tags,
        body: wish,
        response: { 201: startedSchema, ...errorAnswers(404, 409, 413, 415, 503) },
      },
    },
    async ({ body }, reply) => {
      const started = await quickStart.start(body);
      const ports = status().listen.device.map((address) => Number(address.slice(address.lastIndexOf(":") + 1)));
      const port = ports.includes(usualPort) ? usualPort : (ports[0] ?? usualPort);
      return reply.code(201).send({ ...toStartedView(started, fleetDoor.caPem()), endpoint: { host: fleetDoor.host, port, ports } });
    },
  );
}

function toStartedView(
  { thing, clientId, certificate, keys, policy }: QuickStarted,
  ca: string,
): Omit<Static<typeof startedSchema>, "endpoint"> {
  return {
    thing: toThingView(thing),
    clientId,
    certificate: toFleetCertificateView(certificate),
    policy: { policyName: policy.name, document: policy.document },
    files: {
      [fileNames.certificate]: certificate.pem,
      ...(keys === undefined ? {} : { [fileNames.privateKey]: keys.privateKeyPem, [fileNames.publicKey]: keys.publicKeyPem }),
      [fileNames.ca]: ca,
    },
  };
}
