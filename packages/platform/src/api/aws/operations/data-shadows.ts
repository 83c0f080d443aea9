/** Shadows over HTTP (aws-iot.md, 11 and 15.1). What changes is told over MQTT as if it had been asked there. */
import type { ThingShadowName, ThingShadowRefusal } from "@thingstead/dialects";
import type { Clock } from "../../../clock.ts";
import type { NamedShadows } from "../../../device-services/index.ts";
import { PlatformError } from "../../../errors/index.ts";
import { queryInteger, queryText } from "../members.ts";
import type { AwsAnswer, AwsOperation, AwsRequest } from "../operation.ts";
import { type AwsDataLimits, dataOperation, demand, formatPlace, readPlace } from "./data-operation.ts";

type Answer =
  | { readonly kind: "done"; readonly payload: Uint8Array }
  | { readonly kind: "refused"; readonly refusal: ThingShadowRefusal }
  | { readonly kind: "failed"; readonly error: unknown };

type Ask = (shadow: ThingShadowName, payload: Uint8Array) => Promise<Answer>;

/** What answers shadow requests, here as over MQTT. */
interface AwsThingShadows {
  get: Ask;
  update: Ask;
  delete: Ask;
}

export interface ShadowOperationPorts {
  thingShadows: AwsThingShadows;
  namedShadows: Pick<NamedShadows, "names">;
  clock: Pick<Clock, "now">;
  limits: AwsDataLimits;
}

const noBody = new Uint8Array(0);
const path = "/things/{thingName}/shadow";

function shadowOf({ labels, query }: AwsRequest): ThingShadowName {
  return { thingName: labels.thingName ?? "", shadowName: queryText(query, "name") ?? "" };
}

/** Policies see a named shadow below its thing (aws-iot.md, 5.2). */
function resourceOf({ thingName, shadowName }: ThingShadowName): string {
  return shadowName === "" ? `thing/${thingName}` : `thing/${thingName}/${shadowName}`;
}

function answerOf(answer: Answer, { thingName, shadowName }: ThingShadowName): AwsAnswer {
  if (answer.kind === "done") return { bytes: answer.payload };
  if (answer.kind === "failed") throw answer.error;
  const { reason, received, expected } = answer.refusal;
  throw new PlatformError(`aws.shadow_${reason}`, {
    name: shadowName || thingName,
    ...(received === undefined ? {} : { received }),
    ...(expected === undefined ? {} : { expected }),
  });
}

export function createShadowOperations({ thingShadows, namedShadows, clock, limits }: ShadowOperationPorts): AwsOperation[] {
  const ask = async (request: AwsRequest, action: string, asked: Ask, payload: Uint8Array): Promise<AwsAnswer> => {
    const shadow = shadowOf(request);
    demand(request.principal, action, resourceOf(shadow));
    return answerOf(await asked(shadow, payload), shadow);
  };

  return [
    dataOperation("GetThingShadow", { method: "GET", path }, (request) => ask(request, "GetThingShadow", thingShadows.get, noBody)),
    dataOperation("UpdateThingShadow", { method: "POST", path }, (request) =>
      ask(request, "UpdateThingShadow", thingShadows.update, request.body),
    ),
    dataOperation("DeleteThingShadow", { method: "DELETE", path }, (request) =>
      ask(request, "DeleteThingShadow", thingShadows.delete, noBody),
    ),

    dataOperation(
      "ListNamedShadowsForThing",
      { method: "GET", path: "/api/things/shadow/ListNamedShadowsForThing/{thingName}" },
      async ({ principal, labels, query }) => {
        const { thingName = "" } = labels;
        demand(principal, "ListNamedShadowsForThing", `thing/${thingName}`);
        const size = queryInteger(query, "pageSize", { min: 1, max: limits.dataPageSizeMax }) ?? limits.dataPageSizeMax;
        const afterName = readPlace(queryText(query, "nextToken"));
        // One more than asked for tells whether there is another page.
        const names = await namedShadows.names(thingName, { limit: size + 1, ...(afterName === undefined ? {} : { afterName }) });
        const results = names.slice(0, size);
        const last = names.length > size ? results.at(-1) : undefined;
        return {
          json: { results, ...(last === undefined ? {} : { nextToken: formatPlace(last) }), timestamp: Math.floor(clock.now() / 1000) },
        };
      },
    ),
  ];
}
