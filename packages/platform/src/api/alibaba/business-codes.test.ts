import { expect, test } from "vitest";
import { errorTable } from "../../errors/index.ts";
import { businessCodes, vendorCodeOf } from "./business-codes.ts";

test("every code that is mapped exists in the error table", () => {
  expect(Object.keys(businessCodes).filter((code) => errorTable[code] === undefined)).toEqual([]);
});

test("reference 1.10: business codes are the vendor's, what has none is a system exception", () => {
  expect(Object.values(businessCodes).filter((code) => !/^iot\.[A-Za-z.]+$/.test(code))).toEqual([]);
  expect(vendorCodeOf("registry.device_not_found")).toBe("iot.device.NotExistedDevice");
  expect(vendorCodeOf("alibaba.content_not_base64")).toBe("iot.messagebroker.MessageContentIsNotBase64Encode");
  expect(vendorCodeOf("alibaba.nonce_used")).toBe("SignatureNonceUsed");
  expect(vendorCodeOf("nothing.like_this")).toBe("iot.system.SystemException");
});
