import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import { createAuthorities } from "./authorities.ts";
import { createFleetCertificates } from "./certificates.ts";
import { createChangeListeners, createTurns, type FleetContext } from "./context.ts";
import { createPrincipalBook } from "./facts.ts";
import type { Fleet } from "./fleet.ts";
import { createThingGroups } from "./groups.ts";
import { createLimitedIssuer } from "./limited-issuer.ts";
import { defaultFleetLimits, type FleetLimits } from "./limits.ts";
import { thingProductKey } from "./naming.ts";
import { createPolicies } from "./policies.ts";
import type { CertificateIssuer, FleetStore } from "./ports.ts";
import { createRecords, createResourceTags } from "./records.ts";
import { createThingTypes } from "./thing-types.ts";
import { createThings } from "./things.ts";

export interface FleetPorts {
  /** Made with `namings: { [thingProductKey]: thingNaming }`. */
  registry: Registry;
  store: FleetStore;
  issuer: CertificateIssuer;
  /** What is wrong with a policy document; undefined when nothing is. */
  checkPolicy(document: string): string | undefined;
  clock: Clock;
  random: Random;
  limits?: Partial<FleetLimits>;
  /** Hears of what no caller can be told: `fleet.listener_failed`. */
  report?: (problem: PlatformError) => void;
}

/** The second is taken when somebody's product bears the first. */
const productNames = ["AWS IoT", "AWS IoT things"];

/**
 * @example
 * const fleet = createFleet({ registry, store: store.fleet, issuer, checkPolicy, clock, random });
 * await fleet.start();
 */
export function createFleet({ registry, issuer, report = () => {}, limits: given, ...ports }: FleetPorts): Fleet {
  const listeners = createChangeListeners(report);
  const limits = { ...defaultFleetLimits, ...given };
  const context: FleetContext = {
    ...ports,
    issuer: createLimitedIssuer(issuer, limits),
    limits,
    inTurn: createTurns(),
    emit: listeners.emit,
  };
  const things = createThings(context, { registry, needProduct });
  const principals = createPrincipalBook(context, things);
  const authorities = createAuthorities(context);
  // First: what others ask in answer to a change must not be of before.
  listeners.add(principals.follow);
  registry.onChange(things.follow);

  async function needProduct(): Promise<void> {
    const product = await registry.findProduct(thingProductKey);
    if (product === undefined) return makeProduct();
    if (product.authType === "x509" && product.topicStyle === "none") return;
    throw new PlatformError("fleet.product_taken", {
      productKey: thingProductKey,
      received: `credentials ${product.authType}, topics ${product.topicStyle}`,
      expected: "credentials x509, topics none",
    });
  }

  async function makeProduct(): Promise<void> {
    for (const [index, name] of productNames.entries()) {
      try {
        await registry.createProduct({ productKey: thingProductKey, name, authType: "x509", topicStyle: "none" });
        return;
      } catch (error) {
        const isTaken = error instanceof PlatformError && error.code === "registry.product_name_taken";
        if (!isTaken || index === productNames.length - 1) throw error;
      }
    }
  }

  return {
    productKey: thingProductKey,
    things,
    types: createThingTypes(context),
    groups: createThingGroups(context, things),
    certificates: createFleetCertificates(context, authorities),
    authorities,
    policies: createPolicies(context),
    records: createRecords(context),
    resourceTags: createResourceTags(context),
    factsOf: principals.factsOf,
    onChange: listeners.add,
    start: needProduct,
    // Every change is stored before it is answered: nothing is pending.
    close: async () => {},
  };
}
