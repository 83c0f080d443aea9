/** Every limit of the room of things [alibaba-server 6]. */
export interface ThingLimits {
  /** Published versions of a product's model that are kept. */
  modelVersionsMax: number;
  /** Custom modules of a draft. */
  modulesMax: number;
  /** Compiled models kept in memory. */
  modelsCachedMax: number;
  modelDescriptionCharactersMax: number;
  /** Calls and sets whose answer is still awaited. Beyond it the oldest is forgotten, its later answer goes unrecorded. */
  callsAwaitedMax: number;
  /** How long the answer to an asynchronous call is awaited. */
  answerAwaitedSeconds: number;
  /** How long a synchronous call waits when the caller does not say. */
  serviceTimeoutMilliseconds: number;
  serviceTimeoutMillisecondsMax: number;
  /** Desired values changed or asked for at once: 6104. */
  desiredValuesMax: number;
  /** Entries of one page of a history. */
  pageEntriesMax: number;
  /** Buckets of one aggregate. */
  bucketsMax: number;
  /** A reported time further ahead than this is taken for a wrong clock: the time of arrival stands in for it. */
  aheadMillisecondsMax: number;
  /** Deleted devices whose late reports are thrown away. */
  deletedDevicesRememberedMax: number;
}

export const defaultThingLimits: ThingLimits = {
  modelVersionsMax: 10,
  modulesMax: 200,
  modelsCachedMax: 1_000,
  modelDescriptionCharactersMax: 100,
  callsAwaitedMax: 100_000,
  answerAwaitedSeconds: 24 * 60 * 60,
  serviceTimeoutMilliseconds: 5_000,
  serviceTimeoutMillisecondsMax: 8_000,
  desiredValuesMax: 200,
  pageEntriesMax: 1_000,
  bucketsMax: 2_000,
  aheadMillisecondsMax: 24 * 60 * 60 * 1_000,
  deletedDevicesRememberedMax: 10_000,
};
