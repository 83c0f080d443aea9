/** Planted violations, one for each rule: a tidy that misses one of them is broken and must say so. */
import type { SourceFile } from "./violations.ts";

export const canaries: readonly { rule: string; file: SourceFile }[] = [
  { rule: "layers", file: { path: "packages/mqtt/src/canary.ts", text: 'import { x } from "@thingstead/dialects";\n' } },
  { rule: "layers", file: { path: "packages/dialects/src/canary.ts", text: 'export * from "@thingstead/mqtt";\n' } },
  { rule: "layers", file: { path: "packages/esp-at/src/canary.ts", text: 'import { x } from "@thingstead/platform";\n' } },
  { rule: "layers", file: { path: "packages/platform/src/registry/canary.ts", text: 'import { x } from "../api/index.ts";\n' } },
  { rule: "layers", file: { path: "packages/platform/src/rules/canary.ts", text: 'import { x } from "../store/index.ts";\n' } },
  { rule: "doors", file: { path: "packages/platform/src/api/canary.ts", text: 'import { x } from "../registry/registry.ts";\n' } },
  { rule: "doors", file: { path: "packages/device/src/canary.ts", text: 'import { x } from "../../platform/src/index.ts";\n' } },
  { rule: "guarded-modules", file: { path: "packages/platform/src/rules/canary.ts", text: 'import Database from "better-sqlite3";\n' } },
  { rule: "file-names", file: { path: "packages/mqtt/src/utils.ts", text: "export {};\n" } },
  { rule: "file-names", file: { path: "packages/mqtt/src/fooBar.ts", text: "export {};\n" } },
  { rule: "file-length", file: { path: "packages/mqtt/src/canary.ts", text: "\n".repeat(1000) } },
  { rule: "clock-port", file: { path: "packages/mqtt/src/canary.ts", text: "const t = Date.now();\n" } },
  { rule: "config-only-env", file: { path: "packages/platform/src/api/canary.ts", text: "process.env.X;\n" } },
  { rule: "no-promise-marks", file: { path: "packages/mqtt/src/canary.ts", text: "// TODO later\n" } },
  { rule: "no-silent-skip", file: { path: "packages/mqtt/src/canary.test.ts", text: 'test.skip("x", () => {});\n' } },
  { rule: "no-escape", file: { path: "packages/mqtt/src/canary.ts", text: "const x = y as any;\n" } },
  { rule: "no-eval", file: { path: "packages/mqtt/src/canary.ts", text: "new Function('x');\n" } },
  { rule: "product-alone", file: { path: "packages/mqtt/src/canary.ts", text: 'const p = "/home/me";\n' } },
];
