import * as iot from "@aws-sdk/client-iot";
import * as iotData from "@aws-sdk/client-iot-data-plane";
import * as jobsData from "@aws-sdk/client-iot-jobs-data-plane";
import { expect, test } from "vitest";
import { vendorOperations } from "./vendor-operations.ts";

/** Rows of operations in the clients' own schemas: `[9, namespace, name, { http: [method, path, status] }, …]`. */
function operationsOf(client: object): string[] {
  return Object.values(client).flatMap((value: unknown) => {
    if (!Array.isArray(value) || value[0] !== 9) return [];
    const [, , name, { http }] = value as [number, string, string, { http: [string, string, number] }];
    return [`${name} ${http[0]} ${http[1]}`];
  });
}

test.each([
  ["iot", iot],
  ["iotdata", iotData],
  ["iot-jobs-data", jobsData],
] as const)("16: the table of %s is that of the vendor's client", (service, client) => {
  const rows = vendorOperations[service].map(({ name, method, path }) => `${name} ${method} ${path}`);
  expect(rows.sort()).toEqual(operationsOf(client).sort());
  expect(rows.length).toBeGreaterThan(4);
});
