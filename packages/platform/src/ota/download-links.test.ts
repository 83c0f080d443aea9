import { expect, test } from "vitest";
import { createDownloadLinks } from "./download-links.ts";

const links = createDownloadLinks(Buffer.alloc(32, 7));
const link = { fileId: 12, taskId: 345, expiresAt: 1_700_000_000 };
const path = links.path(link);

test("a link tells what it was made of, until it expires", () => {
  expect(links.read(path, link.expiresAt - 1)).toEqual(link);
  expect(links.read(path, link.expiresAt)).toBe("expired");
  expect(path.length).toBeLessThan(50);
});

test("no character of a link can be another one", () => {
  for (let at = "/ota/".length; at < path.length; at++) {
    for (const sign of "AZaz09-_.") {
      if (path[at] === sign) continue;
      expect(links.read(path.slice(0, at) + sign + path.slice(at + 1), 0), `${at} ${sign}`).toBe("invalid");
    }
  }
  expect(createDownloadLinks(Buffer.alloc(32, 8)).read(path, 0)).toBe("invalid");
});
