/** The data plane: messages, shadows and connections (aws-iot.md, 15.1). */
import type { AwsOperation } from "../operation.ts";
import { type ConnectionOperationPorts, createConnectionOperations } from "./data-connections.ts";
import { createMessageOperations, type MessageOperationPorts } from "./data-messages.ts";
import { createShadowOperations, type ShadowOperationPorts } from "./data-shadows.ts";

/** `data`: its own limits. */
export type DataOperationPorts = Omit<MessageOperationPorts & ShadowOperationPorts & ConnectionOperationPorts, "limits"> & {
  dataLimits: MessageOperationPorts["limits"];
};

export function createDataOperations(ports: DataOperationPorts): AwsOperation[] {
  const all = { ...ports, limits: ports.dataLimits };
  return [...createMessageOperations(all), ...createShadowOperations(all), ...createConnectionOperations(all)];
}
