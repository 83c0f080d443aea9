import { expect, test } from "vitest";
import { createLimitedIssuer } from "./limited-issuer.ts";
import { refusal } from "./testing/bench.ts";

test("so many are issued at once, so many wait, and more are told to come again", async () => {
  const asked: PromiseWithResolvers<string>[] = [];
  const issuer = createLimitedIssuer(
    {
      createKeysAndCertificate: () => Promise.reject(new Error("none are made here")),
      signRequest() {
        const answer = Promise.withResolvers<string>();
        asked.push(answer);
        return answer.promise;
      },
    },
    { certificatesIssuedAtOnceMax: 1, certificatesWaitingMax: 1 },
  );
  const first = issuer.signRequest("1");
  const second = issuer.signRequest("2");
  expect(await refusal(issuer.signRequest("3"))).toBe("fleet.issuing_exceeded");
  expect(asked).toHaveLength(1);
  asked[0]?.reject(new Error("no"));
  await expect(first).rejects.toThrow("no");
  expect(asked).toHaveLength(2);
  asked[1]?.resolve("certificate");
  expect(await second).toBe("certificate");
  await expect(issuer.createKeysAndCertificate()).rejects.toThrow("none are made here");
  const fourth = issuer.signRequest("4");
  expect(asked).toHaveLength(3);
  asked[2]?.resolve("another");
  expect(await fourth).toBe("another");
});
