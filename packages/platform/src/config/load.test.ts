import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { environmentName, loadSettings, settingPaths } from "./load.ts";

const folder = mkdtempSync(join(tmpdir(), "thingstead-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const file = join(folder, `${Math.abs(hash(text))}.yaml`);
  writeFileSync(file, text);
  return file;
}

function hash(text: string): number {
  return [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7);
}

test("defaults are the documented ones", () => {
  const settings = loadSettings({ flags: { dataDir: folder }, environment: {} });
  expect(settings.listen).toEqual({ device: ["1883", "8883", "8443"], http: ["8080"] });
  expect(settings.plain).toBe("off");
  expect(settings.host).not.toBe("");
});

test("a flag beats the environment, which beats the file", () => {
  const configFile = fileWith("listen:\n  http: ['1']\n  device: ['2']\nregion: eu-central-1\n");
  const environment = { THINGSTEAD_LISTEN_HTTP: "3", THINGSTEAD_LISTEN_DEVICE: "4, [::1]:5" };
  const settings = loadSettings({ flags: { dataDir: folder, "listen.http": "6" }, environment, configFile });
  expect(settings.listen).toEqual({ http: ["6"], device: ["4", "[::1]:5"] });
  expect(settings.region).toBe("eu-central-1");
});

test("names of the outside contract", () => {
  expect(environmentName("dataDir")).toBe("THINGSTEAD_DATA_DIR");
  expect(environmentName("listen.device")).toBe("THINGSTEAD_LISTEN_DEVICE");
  expect(environmentName("accessKey.id")).toBe("THINGSTEAD_ACCESS_KEY_ID");
  expect(environmentName("adminPassword")).toBe("THINGSTEAD_ADMIN_PASSWORD");
  expect(settingPaths.has("accessKey.secret")).toBe(true);
});

test.each([
  ["start.config_unreadable", { configFile: join(folder, "missing.yaml") }],
  ["start.config_damaged", { configFile: fileWith("a: [1,") }],
  ["start.config_damaged", { configFile: fileWith("- 1") }],
  ["start.setting_unknown", { configFile: fileWith("listen: { htpp: 1 }") }],
  ["start.setting_unknown", { flags: { nothing: "1" } }],
  ["start.setting_invalid", { environment: { THINGSTEAD_PLAIN: "maybe" } }],
  ["start.setting_invalid", { configFile: fileWith("host: { a: 1 }") }],
])("refuses with %s", (code, change) => {
  expect(() => loadSettings({ flags: {}, environment: {}, ...change })).toThrow(expect.objectContaining({ code }));
});

test("a refused secret is not repeated", () => {
  const configFile = fileWith("adminPassword: { deep: hunter2 }");
  expect(() => loadSettings({ flags: {}, environment: {}, configFile })).toThrow(/hidden/);
});

test("a mistyped limit in the environment is refused", () => {
  const environment = { THINGSTEAD_LIMITS_RULES_HOP_MAX: "5", THINGSTEAD_SERVER: "http://elsewhere" };
  expect(() => loadSettings({ flags: { dataDir: folder }, environment })).toThrow(
    expect.objectContaining({ code: "start.setting_unknown", message: expect.stringContaining("THINGSTEAD_LIMITS_RULES_HOP_MAX") }),
  );
  const right = { THINGSTEAD_LIMITS_RULES_HOPS_MAX: "5" };
  expect(loadSettings({ flags: { dataDir: folder }, environment: right }).limits.rules.hopsMax).toBe(5);
});
