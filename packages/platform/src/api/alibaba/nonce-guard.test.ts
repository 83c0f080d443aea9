import { expect, test } from "vitest";
import { NonceGuard } from "./nonce-guard.ts";

const minute = 60_000;

test("a nonce is refused until it expires, and only for its key", () => {
  const guard = new NonceGuard({ noncesMax: 10 });
  const expiresAt = 30 * minute + 1000;
  expect(guard.remember("k", "n", expiresAt, 0)).toBe("ok");
  expect(guard.remember("k", "n", expiresAt, 0)).toBe("used");
  expect(guard.remember("k", "n", expiresAt + 5 * minute, 0)).toBe("used");
  expect(guard.remember("other", "n", expiresAt, 0)).toBe("ok");
  expect(guard.remember("k", "n", expiresAt + 30 * minute, expiresAt)).toBe("used");
  expect(guard.remember("k", "n", expiresAt + 31 * minute, 31 * minute)).toBe("ok");
});

test("a full guard says so, and has room again when nonces expire", () => {
  const guard = new NonceGuard({ noncesMax: 2 });
  expect(guard.remember("k", "1", minute, 0)).toBe("ok");
  expect(guard.remember("k", "2", 2 * minute, 0)).toBe("ok");
  expect(guard.remember("k", "3", 2 * minute, 0)).toBe("full");
  expect(guard.remember("k", "1", minute, 0)).toBe("used");
  expect(guard.remember("k", "3", 3 * minute, 2 * minute)).toBe("ok");
  expect(guard.remember("k", "4", 3 * minute, 2 * minute)).toBe("full");
});
