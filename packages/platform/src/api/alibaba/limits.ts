/** Limits of the Alibaba OpenAPI. */
export interface AlibabaApiLimits {
  /** How far a request's time stamp may be from our clock. */
  clockSkewMilliseconds: number;
  /** Nonces remembered at once; further calls are refused until some expire. */
  noncesMax: number;
  /** Parameters of one call, query and body together. */
  parametersMax: number;
  /** Length of the string to sign that a signature refusal shows. */
  stringToSignCharactersMax: number;
  /** `PageSize` of `QueryProductList`. */
  productPageEntriesMax: number;
  /** `PageSize` of `QueryDevice`. */
  devicePageEntriesMax: number;
  /** `PageSize` of `ListRule`. */
  rulePageEntriesMax: number;
  /** Devices of one `BatchGetDeviceState`. */
  stateDevicesMax: number;
  /** Devices of one `BatchQueryDeviceDetail`. */
  detailDevicesMax: number;
  /** Devices of one `BatchPub`. */
  publishDevicesMax: number;
  /** Functions of one `CreateThingModel`, and of each list of `DeleteThingModel`. */
  functionsPerCallMax: number;
  /** Identifiers of one call on desired values or on several properties' histories. */
  identifiersMax: number;
  /** `PageSize` of a history of one property, event or service. */
  historyEntriesMax: number;
  /** `PageSize` of `QueryDevicePropertiesData`, for each property. */
  propertiesEntriesMax: number;
  /** `Props` of `SaveDeviceProp`, in bytes. */
  propsBytesMax: number;
  /** Tags of one call. */
  tagsPerCallMax: number;
  /** `PageSize` of searches by tag and of a gateway's sub-devices. */
  searchPageEntriesMax: number;
  /** `PageSize` of `QueryDeviceGroupList`. */
  groupPageEntriesMax: number;
  /** `PageSize` of what lists packages, jobs and tasks. */
  otaPageEntriesMax: number;
  /** Devices of one `CancelOTATaskByDevice`. */
  otaDevicesMax: number;
  /** How long the form of `GenerateOTAUploadURL` may be posted. */
  uploadFormSeconds: number;
  /** How long the link of `GetThingScript` is good. */
  scriptLinkSeconds: number;
  /** Topics of one `SubscribeTopic` or `UnsubscribeTopic`. */
  subscribeTopicsMax: number;
  /** Devices of one call on a gateway's topology. */
  topologyDevicesMax: number;
  /** Addresses of uploaded files that can still be put into packages. */
  uploadsRememberedMax: number;
  /** A file that devices of a job download. */
  jobUploadBytesMax: number;
  /** Files of jobs kept in memory, for the jobs that are made with them. */
  jobUploadsRememberedMax: number;
  /** `PageSize` of `ListJob` and `QueryDeviceFileList`. */
  jobPageEntriesMax: number;
  /** Devices of one `CreateJob`. */
  jobDevicesMax: number;
  /** `Limit` of `ListTask`. */
  taskEntriesMax: number;
}

/** The vendor's own figures where it publishes one. */
export const defaultAlibabaApiLimits: AlibabaApiLimits = {
  clockSkewMilliseconds: 15 * 60_000,
  noncesMax: 1_000_000,
  parametersMax: 20_100,
  stringToSignCharactersMax: 16_384,
  productPageEntriesMax: 200,
  devicePageEntriesMax: 50,
  rulePageEntriesMax: 100,
  stateDevicesMax: 50,
  detailDevicesMax: 100,
  publishDevicesMax: 100,
  functionsPerCallMax: 10,
  identifiersMax: 10,
  historyEntriesMax: 50,
  propertiesEntriesMax: 100,
  propsBytesMax: 5 * 1024,
  tagsPerCallMax: 10,
  searchPageEntriesMax: 50,
  groupPageEntriesMax: 200,
  otaPageEntriesMax: 100,
  otaDevicesMax: 200,
  uploadFormSeconds: 600,
  scriptLinkSeconds: 600,
  subscribeTopicsMax: 100,
  topologyDevicesMax: 30,
  uploadsRememberedMax: 10_000,
  jobUploadBytesMax: 1024 * 1024,
  jobUploadsRememberedMax: 16,
  jobPageEntriesMax: 200,
  jobDevicesMax: 10_000,
  taskEntriesMax: 50,
};
