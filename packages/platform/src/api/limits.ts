/** Limits of the HTTP API. */
export interface ApiLimits {
  /** Largest request body. */
  bodyBytesMax: number;
  /** Request line and headers together. The vendor's SDK puts whole messages (512 KB and more, percent-encoded) into the URL. */
  headerBytesMax: number;
  /** Open connections per listening address. */
  connectionsMax: number;
  /** A request must have arrived completely within this time. */
  requestTimeoutSeconds: number;
  /** The headers of a request must have arrived within this time. */
  headersTimeoutSeconds: number;
  /** An idle kept-alive connection is closed after this time. */
  keepAliveSeconds: number;
  /** On close, requests under way get this long before they are cut. */
  drainSeconds: number;
  /** Failed authentications of one address before it is answered 429 until its minute is over. */
  failedAuthPerMinuteMax: number;
  /** Addresses remembered for the failure count; beyond it the oldest is forgotten. */
  failedAuthAddressesMax: number;
  /** Items of one page when the request does not say. */
  pageSizeDefault: number;
  pageSizeMax: number;
  /** Highest page number. */
  pageMax: number;
  /** Devices of one batch. */
  batchDevicesMax: number;
  /** Devices that one call puts behind a gateway. */
  subDevicesPerCallMax: number;
  /** Devices that one call puts into a group. */
  groupDevicesPerCallMax: number;
  /** Topics of the policy that one quick start makes. */
  quickStartTopicsMax: number;
  /** Groups that one quick start puts its thing into. */
  quickStartGroupsMax: number;
  /** Actions of one rule. */
  ruleActionsMax: number;
  /** Open event streams. */
  followersMax: number;
  /** Unsent bytes of one event stream; a reader that is slower is closed. */
  streamBufferBytesMax: number;
  /** Entries sent again to a stream that resumes; older ones are announced as a gap. */
  streamReplayEntriesMax: number;
  /** A comment is sent on an event stream this often, so that dead connections show. */
  streamHeartbeatSeconds: number;
}

export const defaultApiLimits: ApiLimits = {
  bodyBytesMax: 4 * 1024 * 1024,
  headerBytesMax: 4 * 1024 * 1024,
  connectionsMax: 2_000,
  requestTimeoutSeconds: 60,
  headersTimeoutSeconds: 20,
  keepAliveSeconds: 10,
  drainSeconds: 5,
  failedAuthPerMinuteMax: 30,
  failedAuthAddressesMax: 10_000,
  pageSizeDefault: 20,
  pageSizeMax: 200,
  pageMax: 1_000_000,
  batchDevicesMax: 10_000,
  subDevicesPerCallMax: 2_000,
  groupDevicesPerCallMax: 1_000,
  quickStartTopicsMax: 50,
  quickStartGroupsMax: 10,
  ruleActionsMax: 10,
  followersMax: 50,
  streamBufferBytesMax: 1024 * 1024,
  streamReplayEntriesMax: 1_000,
  streamHeartbeatSeconds: 15,
};
