/**
 * The house as data: who may import whom. The drawing is in ARCHITECTURE.md; this is what holds it up.
 * A package may import the packages listed for it; a room of the platform may import the rooms listed for it.
 */
export const packageImports: Readonly<Record<string, readonly string[]>> = {
  "@thingstead/thing-model": [],
  "@thingstead/mqtt": [],
  "@thingstead/dialects": ["@thingstead/thing-model"],
  "@thingstead/device": ["@thingstead/dialects", "@thingstead/thing-model"],
  "@thingstead/esp-at": ["@thingstead/dialects"],
  "@thingstead/platform": ["@thingstead/dialects", "@thingstead/mqtt", "@thingstead/thing-model"],
  thingstead: ["@thingstead/dialects", "@thingstead/esp-at", "@thingstead/platform", "@thingstead/thing-model"],
};

/** Folder below `packages/` -> package name. */
export const packageFolders: Readonly<Record<string, string>> = {
  "thing-model": "@thingstead/thing-model",
  mqtt: "@thingstead/mqtt",
  dialects: "@thingstead/dialects",
  device: "@thingstead/device",
  "esp-at": "@thingstead/esp-at",
  platform: "@thingstead/platform",
  cli: "thingstead",
};

export const roomImports: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  registry: ["errors"],
  "device-log": ["errors"],
  scripts: ["errors"],
  rules: ["registry", "device-log", "scripts", "errors"],
  things: ["registry", "device-log", "errors"],
  messages: ["registry", "device-log", "rules", "errors"],
  fleet: ["registry", "device-log", "errors"],
  access: ["registry", "device-log", "errors"],
  ota: ["registry", "device-log", "errors"],
  "device-services": ["registry", "device-log", "errors"],
  bindings: ["registry", "fleet", "device-log", "things", "ota", "device-services", "scripts", "messages", "rules", "access", "errors"],
  // Merges the rooms' limits into the one schema; no room imports it back.
  config: [
    "registry",
    "rules",
    "fleet",
    "things",
    "messages",
    "device-log",
    "access",
    "ota",
    "device-services",
    "bindings",
    "scripts",
    "front-door",
    "api",
    "store",
    "errors",
  ],
  store: ["registry", "fleet", "device-log", "rules", "scripts", "access", "things", "ota", "device-services", "errors"],
  "front-door": ["access", "ota", "device-services", "device-log", "errors"],
  api: ["registry", "fleet", "rules", "things", "messages", "device-log", "access", "ota", "device-services", "scripts", "errors"],
};

/** Files directly in platform/src that every room may import. `main.ts` is imported by nobody but the package's door. */
export const sharedPlatformFiles: readonly string[] = ["clock.ts"];

/** Third-party and Node modules that only the named rooms (or packages) may touch. */
export const guardedModules: readonly { module: RegExp; allowed: readonly string[] }[] = [
  { module: /^(better-sqlite3|kysely|pg)(\/|$)/, allowed: ["platform/store"] },
  { module: /^(fastify|@fastify\/.*|typebox)(\/|$)/, allowed: ["platform/api", "platform/config"] },
  { module: /^ws$/, allowed: ["platform/front-door"] },
  { module: /^node:tls$/, allowed: ["platform/front-door", "device", "esp-at"] },
  // Rules judge the addresses of webhooks (BlockList); they open no socket with it.
  { module: /^node:net$/, allowed: ["platform/front-door", "platform/rules", "device", "esp-at"] },
  { module: /^chevrotain$/, allowed: ["platform/rules"] },
  { module: /^undici$/, allowed: ["platform/rules", "cli"] },
  { module: /^@peculiar\/x509$/, allowed: ["platform/front-door"] },
  { module: /^mqtt$/, allowed: ["device", "esp-at"] },
  { module: /^(quickjs-emscripten-core|@jitl\/.*)$/, allowed: ["platform/scripts"] },
];
