/** `kill -9` at random moments, five rounds of it; `npm run crash` does fifty. */
import { expect, test } from "vitest";
import { runCrashes } from "./crash/run.ts";

test("nothing acknowledged is lost, repeated beyond its QoS or reordered over kill -9", { timeout: 60_000 }, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  const { violations, ...figures } = await runCrashes({ rounds: 5, seed });
  console.log(JSON.stringify(figures));
  expect(violations).toEqual([]);
  expect(figures.acknowledged).toBe(figures.published);
  expect(figures.acknowledged).toBeGreaterThan(100);
});
