import { expect, test } from "vitest";
import { DeviceError, deviceErrors } from "./errors.ts";

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test.each(Object.entries(deviceErrors))("%s tells the same in both languages", (_code, { en, zh }) => {
  expect(placeholders(zh)).toEqual(placeholders(en));
  expect(zh).toMatch(/\p{Script=Han}/u);
  expect(en).not.toMatch(/\p{Script=Han}/u);
});

test("texts are filled from the details; what is missing stays visible", () => {
  const error = new DeviceError("device.reply_timeout", { topic: "/a" });
  expect(error.message).toBe("no answer to /a within {milliseconds} ms");
  expect(error.text("en")).toBe(error.message);
  expect(error.text("zh")).toBe("在 {milliseconds} 毫秒内没有收到 /a 的应答");
});
