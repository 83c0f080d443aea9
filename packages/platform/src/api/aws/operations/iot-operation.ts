/** Rows of the control plane: method and path of an operation stand in the vendor's table already. */
import type { AwsAnswer, AwsOperation, AwsRequest } from "../operation.ts";
import { vendorOperations } from "../vendor-operations.ts";

const rows = new Map(vendorOperations.iot.map((row) => [row.name, row]));

const methods: readonly AwsOperation["method"][] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Throws for a name that the vendor does not have: a mistake of ours. */
export function iotOperation(name: string, run: (request: AwsRequest) => Promise<AwsAnswer>): AwsOperation {
  const row = rows.get(name);
  const method = methods.find((each) => each === row?.method);
  if (row === undefined || method === undefined) throw new Error(`${name} is no operation of the control plane`);
  return { name, service: "iot", method, path: row.path, run };
}

/** Every path of the table has its labels; a missing one is a mistake of ours. */
export function label({ labels }: AwsRequest, name: string): string {
  const text = labels[name];
  if (text === undefined) throw new Error(`the path has no label ${name}`);
  return text;
}

/** The vendor's answer where there is nothing to tell. */
export const emptyAnswer: AwsAnswer = { json: {} };

/** Seconds with fractions, as every time in JSON (aws-iot.md, 16). */
export function toSeconds(milliseconds: number): number {
  return milliseconds / 1000;
}
