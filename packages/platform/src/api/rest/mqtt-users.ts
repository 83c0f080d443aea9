import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, mqttUserRef, noContent, pageOf, pageQuery } from "./schemas.ts";
import { toMqttUserView, toPageView } from "./views.ts";

const strict = { additionalProperties: false } as const;
const tags = ["mqtt users"];

const userPath = Type.Object({ userName: Type.String() }, strict);
const password = Type.Optional(Type.String({ description: "Absent: generated and told in the answer." }));
const rights = Type.Array(Type.Object({ filter: Type.String({ minLength: 1 }), operation: Type.Enum(["PUB", "SUB", "ALL"]) }, strict), {
  description: "Without rights a user may do nothing. `%u` and `%c` in a filter stand for user name and client id.",
});
const newUser = Type.Object(
  { userName: Type.String({ minLength: 1 }), password, description: Type.Optional(Type.String()), rights: Type.Optional(rights) },
  strict,
);
const userChange = Type.Object(
  { description: Type.Optional(Type.String()), rights: Type.Optional(rights) },
  { ...strict, minProperties: 1 },
);

export function addMqttUserRoutes(app: RestApp, { mqttUsers, limits }: Pick<ApiPorts, "mqttUsers" | "limits">): void {
  app.get(
    "/mqtt-users",
    {
      schema: {
        summary: "List the users of generic MQTT clients",
        operationId: "listMqttUsers",
        tags,
        querystring: Type.Object(pageQuery(limits), strict),
        response: { 200: pageOf(mqttUserRef), ...errorAnswers() },
      },
    },
    async ({ query: { page, pageSize } }) => toPageView(await mqttUsers.list({ page, pageSize }), toMqttUserView),
  );

  app.post(
    "/mqtt-users",
    {
      schema: {
        summary: "Create a user of generic MQTT clients",
        operationId: "createMqttUser",
        tags,
        body: newUser,
        response: { 201: mqttUserRef, ...errorAnswers(409, 413, 415) },
      },
    },
    async ({ body }, reply) => reply.code(201).send(toMqttUserView(await mqttUsers.create(body))),
  );

  app.get(
    "/mqtt-users/:userName",
    {
      schema: {
        summary: "Show a user of generic MQTT clients",
        operationId: "getMqttUser",
        tags,
        params: userPath,
        response: { 200: mqttUserRef, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toMqttUserView(await mqttUsers.get(params.userName)),
  );

  app.patch(
    "/mqtt-users/:userName",
    {
      schema: {
        summary: "Change rights or description of a user; its sessions are checked again",
        operationId: "updateMqttUser",
        tags,
        params: userPath,
        body: userChange,
        response: { 200: mqttUserRef, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }) => toMqttUserView(await mqttUsers.update(params.userName, body)),
  );

  app.post(
    "/mqtt-users/:userName/password",
    {
      schema: {
        summary: "Set or renew the password of a user; its connections are cut",
        operationId: "setMqttUserPassword",
        tags,
        params: userPath,
        body: Type.Object({ password }, strict),
        response: { 200: mqttUserRef, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params: { userName }, body }) => {
      const set = await mqttUsers.setPassword(userName, body.password);
      return toMqttUserView({ ...(await mqttUsers.get(userName)), ...set });
    },
  );

  app.delete(
    "/mqtt-users/:userName",
    {
      schema: {
        summary: "Delete a user; its sessions end",
        operationId: "deleteMqttUser",
        tags,
        params: userPath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params }, reply) => {
      await mqttUsers.remove(params.userName);
      return reply.code(204).send(null);
    },
  );
}
