/** What belongs to the account: endpoint, switches of events, logging options (aws-iot.md, 2.1, 10.3 and 16). */
import { PlatformError } from "../../../errors/index.ts";
import { type EventSwitches, type EventSwitchName, eventSwitchNames, type Fleet, isEventSwitchName } from "../../../fleet/index.ts";
import { MemberReader, queryFlag, queryText, refuseMember } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { emptyAnswer, iotOperation, toSeconds } from "./iot-operation.ts";

export interface AccountOperationPorts {
  fleet: Pick<Fleet, "records">;
  eventSwitches: Pick<EventSwitches, "state" | "update">;
  /** Host name of every data endpoint. */
  endpoint: string;
}

const servedEndpoints: readonly string[] = ["iot:Data-ATS", "iot:Data", "iot:Jobs"];
const otherEndpoints: readonly string[] = ["iot:CredentialProvider", "iot:DeviceAdvisor", "iot:Data-Beta"];

const loggingFamily = "logging-options";
const loggingName = "account";
const logLevels = ["DEBUG", "INFO", "ERROR", "WARN", "DISABLED"] as const;

export function createAccountOperations({ fleet, eventSwitches, endpoint }: AccountOperationPorts): AwsOperation[] {
  return [
    iotOperation("DescribeEndpoint", async ({ query }) => {
      const type = queryText(query, "endpointType") ?? "iot:Data";
      if (servedEndpoints.includes(type)) return { json: { endpointAddress: endpoint } };
      if (otherEndpoints.includes(type)) {
        throw new PlatformError("aws.option_unsupported", { member: "endpointType", received: type, expected: servedEndpoints.join(", ") });
      }
      return refuseMember("endpointType", type, `one of ${servedEndpoints.join(", ")}`);
    }),

    iotOperation("DescribeEventConfigurations", async () => {
      const { isOn, createdAt, modifiedAt } = eventSwitches.state();
      const eventConfigurations = Object.fromEntries(eventSwitchNames.map((name) => [name, { Enabled: isOn[name] }]));
      return {
        json: {
          eventConfigurations,
          ...(createdAt === undefined ? {} : { creationDate: toSeconds(createdAt) }),
          ...(modifiedAt === undefined ? {} : { lastModifiedDate: toSeconds(modifiedAt) }),
        },
      };
    }),

    iotOperation("UpdateEventConfigurations", async (request) => {
      const configurations = new MemberReader(request.json()).object("eventConfigurations");
      const changes: Partial<Record<EventSwitchName, boolean>> = {};
      for (const name of configurations?.names() ?? []) {
        if (!isEventSwitchName(name)) refuseMember("eventConfigurations", name, `one of ${eventSwitchNames.join(", ")}`);
        const isOn = configurations?.object(name)?.flag("Enabled");
        if (isOn !== undefined) changes[name] = isOn;
      }
      await eventSwitches.update(changes);
      return emptyAnswer;
    }),

    // Kept and answered: what the server logs is its own setting.
    iotOperation("SetV2LoggingOptions", async (request) => {
      const members = new MemberReader(request.json());
      const roleArn = members.text("roleArn");
      const defaultLogLevel = members.choice("defaultLogLevel", logLevels);
      const options = {
        ...(roleArn === undefined ? {} : { roleArn }),
        ...(defaultLogLevel === undefined ? {} : { defaultLogLevel }),
        disableAllLogs: members.flag("disableAllLogs") ?? false,
      };
      await fleet.records.put(loggingFamily, loggingName, options);
      return emptyAnswer;
    }),

    iotOperation("GetV2LoggingOptions", async ({ query }) => {
      queryFlag(query, "verbose");
      const stored = await fleet.records.find(loggingFamily, loggingName);
      if (typeof stored === "object" && stored !== null) return { json: stored };
      throw new PlatformError("aws.not_configured", { what: "logging" });
    }),
  ];
}
