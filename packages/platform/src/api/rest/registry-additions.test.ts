/** Tags, groups and sub-devices over REST, on the rooms themselves and a store in memory. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemRandom } from "../../clock.ts";
import { createFakeClock } from "../../fake-clock.ts";
import { createGroups, createRegistry, createTags, createTopology, defaultRegistryLimits as limits } from "../../registry/index.ts";
import { openStore, type Store } from "../../store/index.ts";
import { createTestPorts, testKey } from "../in-memory-ports.ts";
import { buildApi } from "../server.ts";
import { createAnswerCheck } from "./answer-check.ts";

let store: Store;
let call: (
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE",
  path: string,
  body?: object,
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON the API answers
) => Promise<{ status: number; body: any }>;

beforeEach(async () => {
  store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 1) });
  const clock = createFakeClock(1_000);
  const registry = createRegistry({ store: store.registry, clock, random: systemRandom });
  const { ports } = createTestPorts();
  const { app } = await buildApi({
    ...ports,
    registry,
    topology: createTopology({ registry, store: store.topology, clock, limits }),
    tags: createTags({ registry, store: store.tags, limits }),
    groups: createGroups({ store: store.groups, clock, random: systemRandom, limits }),
  });
  const fits = createAnswerCheck((await app.inject("/api/v1/openapi.json")).json());
  call = async (method, path, payload) => {
    const answer = await app.inject({
      method,
      url: `/api/v1${path}`,
      headers: { authorization: `Bearer ${testKey.id}:${testKey.secret}` },
      ...(payload === undefined ? {} : { payload }),
    });
    const body = answer.body === "" ? undefined : answer.json();
    if (body !== undefined) expect(fits(method, `/api/v1${path}`, answer.statusCode, body), `${method} ${path} as documented`).toEqual([]);
    return { status: answer.statusCode, body };
  };
  await registry.createProduct({ name: "gateways", productKey: "gw", nodeType: "gateway" });
  await registry.createProduct({ name: "things", productKey: "pk" });
  await registry.createDevice("gw", { deviceName: "gate" });
  for (const deviceName of ["sub1", "sub2"]) await registry.createDevice("pk", { deviceName });
});
afterEach(() => store.close());

const device = "/products/pk/devices/sub1";
const identity = (deviceName: string) => expect.objectContaining({ productKey: "pk", deviceName });

test("switches of registration are off until somebody turns them on", async () => {
  expect((await call("GET", "/products/pk")).body).toMatchObject({
    authType: "secret",
    isRegistrationOpen: false,
    isSelfRegistrationOpen: false,
  });
  expect((await call("PATCH", "/products/pk", { isRegistrationOpen: true })).body).toMatchObject({ isRegistrationOpen: true });
  expect((await call("POST", `${device}/reset`)).body).toMatchObject({ status: "UNACTIVE" });
});

test("tags are set, deleted and searched", async () => {
  expect((await call("PATCH", `${device}/tags`, { tags: { room: "12", a: "b:c" } })).body).toEqual({ tags: { a: "b:c", room: "12" } });
  expect((await call("PATCH", `${device}/tags`, { tags: { room: null } })).body).toEqual({ tags: { a: "b:c" } });
  expect((await call("GET", "/tagged-devices?tags=a:b:c")).body).toMatchObject({ items: [identity("sub1")], total: 1 });
  expect((await call("GET", "/tagged-devices?tags=nothing")).status).toBe(400);
  expect((await call("PATCH", `${device}/tags`, { tags: { "no blanks": "1" } })).body.error.code).toBe("registry.invalid_tag_key");
  expect((await call("PATCH", "/products/pk/tags", { tags: { line: "A" } })).body).toEqual({ tags: { line: "A" } });
  expect((await call("GET", "/products/none/tags")).status).toBe(404);
});

test("sub-devices are put behind a gateway and taken away", async () => {
  const gateway = "/products/gw/devices/gate";
  const subs = { devices: [{ productKey: "pk", deviceName: "sub2" }] };
  expect((await call("POST", `${gateway}/sub-devices`, subs)).body.items).toEqual([identity("sub2")]);
  expect((await call("POST", `${device}/sub-devices`, subs)).body.error.code).toBe("registry.not_a_gateway");
  expect((await call("GET", `${gateway}/sub-devices`)).body).toMatchObject({ items: [identity("sub2")], total: 1 });
  expect((await call("GET", "/products/pk/devices/sub2/gateway")).body.gateway).toMatchObject({ productKey: "gw", deviceName: "gate" });
  expect((await call("GET", `${device}/gateway`)).body).toEqual({ gateway: null });
  expect((await call("DELETE", `${gateway}/sub-devices/pk/sub2`)).status).toBe(204);
  expect((await call("DELETE", `${gateway}/sub-devices/pk/sub2`)).body.error.code).toBe("registry.not_a_sub_device");
});

test("groups lie in groups, three levels deep, and hold devices and tags", async () => {
  let superGroupId: string | undefined;
  for (const name of ["house", "floor", "room"]) {
    const made = await call("POST", "/groups", { name, ...(superGroupId === undefined ? {} : { superGroupId }) });
    expect(made.status).toBe(201);
    superGroupId = made.body.groupId;
  }
  expect((await call("POST", "/groups", { name: "shelf", superGroupId })).body.error.code).toBe("registry.group_levels_exceeded");
  expect((await call("POST", "/groups", { name: "house" })).body.error.code).toBe("registry.group_name_taken");
  const room = `/groups/${superGroupId}`;
  const devices = ["sub1", "sub2", "sub9"].map((deviceName) => ({ productKey: "pk", deviceName }));
  const joined = { added: 2, alreadyThere: 0, inTooManyGroups: 0, unknown: 1 };
  expect((await call("POST", `${room}/devices`, { devices })).body).toEqual(joined);
  expect((await call("DELETE", `${room}/devices/pk/sub2`)).status).toBe(204);
  expect((await call("GET", `${room}/devices`)).body).toMatchObject({ items: [identity("sub1")], total: 1 });
  expect((await call("GET", `${device}/groups`)).body.items).toMatchObject([{ name: "room" }]);
  expect((await call("GET", room)).body).toMatchObject({ name: "room", deviceCount: 1, activeCount: 0, onlineCount: 0 });
  expect((await call("PUT", `${room}/tags`, { tags: { x: "1" } })).body).toEqual({ tags: { x: "1" } });
  expect((await call("PATCH", room, { description: "where it is" })).body.description).toBe("where it is");
  const [top] = (await call("GET", "/groups")).body.items;
  expect((await call("DELETE", `/groups/${top.groupId}`)).body.error.code).toBe("registry.group_has_groups");
  expect((await call("DELETE", room)).status).toBe(204);
  expect((await call("GET", room)).status).toBe(404);
});
