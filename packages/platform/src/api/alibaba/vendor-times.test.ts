import { expect, test } from "vitest";
import { formatGmt, formatGmtDashed, formatJavaDate, formatUtc } from "./vendor-times.ts";

const time = Date.UTC(2019, 1, 20, 2, 16, 9);

test("reference 1.5: the vendor's four ways to write a time", () => {
  expect(formatGmt(time)).toBe("2019-02-20 10:16:09");
  expect(formatGmtDashed(time)).toBe("Wed, 20-Feb-2019 02:16:09 GMT");
  expect(formatUtc(time)).toBe("2019-02-20T02:16:09.000Z");
  expect(formatJavaDate(Date.UTC(2019, 11, 23, 2, 32, 6))).toBe("Mon Dec 23 10:32:06 CST 2019");
});

test("UTC+8 may be the next day, and a time that never came is empty", () => {
  expect(formatGmt(Date.UTC(2019, 11, 31, 20, 0, 0))).toBe("2020-01-01 04:00:00");
  expect([formatGmt(undefined), formatGmtDashed(undefined), formatUtc(undefined)]).toEqual(["", "", ""]);
});
