/** The data plane: messages, shadows and connections (aws-iot.md, 15.1). */
import type { AwsOperation } from "../operation.ts";
import { type ConnectionOperationPorts, createConnectionOperations } from "./data-connections.ts";
import { createMessageOperations, type MessageOperationPorts } from "./data-messages.ts";
import { createShadowOperations, type ShadowOperationPorts } from "./data-shadows.ts";

export type DataOperationPorts = MessageOperationPorts & ShadowOperationPorts & ConnectionOperationPorts;

export function createDataOperations(ports: DataOperationPorts): AwsOperation[] {
  return [...createMessageOperations(ports), ...createShadowOperations(ports), ...createConnectionOperations(ports)];
}
