/** Limits of the messages on Alibaba's system topics (alibaba-device.md, 5.8 and 5.9). */
export interface AlibabaBindingLimits {
  /** Sub-devices in one pack (6357). */
  packSubDevicesMax: number;
  /** Devices in one history report. */
  historyEntriesMax: number;
  /** Identifiers in one question for desired values (6104). */
  desiredIdentifiersMax: number;
  /** Products whose names of events are kept in memory. */
  eventNamesProductsMax: number;
  /** Devices in one message of a gateway about its sub-devices (6.1). */
  gatewayItemsMax: number;
  /** Devices in one batch login or logout (6.4). */
  batchSessionsMax: number;
  /** Tags in one report of a device (8.2). */
  deviceTagsMax: number;
  /** Lines of a device's own log in one message (8.7). */
  logLinesPerMessageMax: number;
}

export const defaultAlibabaBindingLimits: AlibabaBindingLimits = {
  packSubDevicesMax: 20,
  historyEntriesMax: 200,
  desiredIdentifiersMax: 200,
  eventNamesProductsMax: 1_000,
  gatewayItemsMax: 30,
  batchSessionsMax: 50,
  deviceTagsMax: 200,
  logLinesPerMessageMax: 40,
};
