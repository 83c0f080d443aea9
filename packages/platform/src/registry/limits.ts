export interface RegistryLimits {
  productsMax: number;
  devicesPerProductMax: number;
  topicClassesPerProductMax: number;
  /** Devices created by one call. */
  batchDevicesMax: number;
  productNameCharactersMax: number;
  descriptionCharactersMax: number;
  /** The vendor asks for 4; a fleet from elsewhere may have shorter names. */
  deviceNameCharactersMin: number;
  deviceNameCharactersMax: number;
  nicknameCharactersMax: number;
  /** Of a topic class as written, with the product's key and `${deviceName}` in it. */
  topicBytesMax: number;
  /** Slashes in a topic class. */
  topicLevelsMax: number;
  pageSizeMax: number;
  /** Devices kept in memory for the next connect. */
  devicesCachedMax: number;
  /** Products, and lists of topic classes, kept in memory. */
  productsCachedMax: number;
  /** Connection states written by one transaction; as many waiting start a write at once. */
  statusBatchDevices: number;
  /** How long a connection state waits for others to be written with. */
  statusFlushMilliseconds: number;
  /** Pause after a failed write of connection states. */
  statusRetryMilliseconds: number;
}

/** The vendor's numbers where it has any (device names 4-32, 50 topic classes, 128 bytes, 7 slashes, batches of 10,000). */
export const defaultRegistryLimits: RegistryLimits = {
  productsMax: 10_000,
  devicesPerProductMax: 1_000_000,
  topicClassesPerProductMax: 50,
  batchDevicesMax: 10_000,
  productNameCharactersMax: 64,
  descriptionCharactersMax: 100,
  deviceNameCharactersMin: 4,
  deviceNameCharactersMax: 32,
  nicknameCharactersMax: 64,
  topicBytesMax: 128,
  topicLevelsMax: 7,
  pageSizeMax: 1_000,
  devicesCachedMax: 50_000,
  productsCachedMax: 1_000,
  statusBatchDevices: 500,
  statusFlushMilliseconds: 200,
  statusRetryMilliseconds: 5_000,
};

export interface MqttUserLimits {
  mqttUsersMax: number;
  /** Rights of one user. */
  mqttRightsMax: number;
  mqttFilterBytesMax: number;
  mqttDescriptionCharactersMax: number;
  mqttPasswordCharactersMin: number;
  mqttPasswordBytesMax: number;
  /** Users whose latest right password is remembered (as an HMAC). */
  verifiedPasswordsMax: number;
  /** Password hashes computed at the same time, about 40 ms of a core and 16 MiB each. */
  passwordChecksAtOnceMax: number;
  /** Connections that wait for theirs; more are told to come again. */
  passwordChecksWaitingMax: number;
}

export const defaultMqttUserLimits: MqttUserLimits = {
  mqttUsersMax: 100_000,
  mqttRightsMax: 100,
  mqttFilterBytesMax: 512,
  mqttDescriptionCharactersMax: 100,
  mqttPasswordCharactersMin: 8,
  mqttPasswordBytesMax: 256,
  verifiedPasswordsMax: 50_000,
  passwordChecksAtOnceMax: 2,
  passwordChecksWaitingMax: 500,
};
