import { expect, test } from "vitest";
import { NonceGuard } from "./nonce-guard.ts";

const minute = 60_000;

test("a nonce is refused for as long as it is kept, and only for its key", () => {
  const guard = new NonceGuard({ keepMilliseconds: 30 * minute, noncesMax: 10 });
  expect(guard.remember("k", "n", 0)).toBe("ok");
  expect(guard.remember("k", "n", 0)).toBe("used");
  expect(guard.remember("other", "n", 0)).toBe("ok");
  expect(guard.remember("k", "n", 30 * minute)).toBe("used");
  expect(guard.remember("k", "n", 31 * minute)).toBe("ok");
});

test("a full guard says so, and has room again when nonces expire", () => {
  const guard = new NonceGuard({ keepMilliseconds: minute, noncesMax: 2 });
  expect(guard.remember("k", "1", 0)).toBe("ok");
  expect(guard.remember("k", "2", minute)).toBe("ok");
  expect(guard.remember("k", "3", minute)).toBe("full");
  expect(guard.remember("k", "1", minute)).toBe("used");
  expect(guard.remember("k", "3", 2 * minute)).toBe("ok");
  expect(guard.remember("k", "4", 2 * minute)).toBe("full");
});
