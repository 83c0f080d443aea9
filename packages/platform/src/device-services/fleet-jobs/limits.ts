export interface FleetJobLimits {
  jobIdCharactersMax: number;
  documentBytesMax: number;
  descriptionCharactersMax: number;
  commentCharactersMax: number;
  /** Things and groups named by one job. */
  targetsMax: number;
  /** Jobs kept, whatever their status. */
  jobsMax: number;
  /** Of one execution. */
  statusDetailsPairsMax: number;
  statusDetailsKeyCharactersMax: number;
  statusDetailsValueCharactersMax: number;
  /** Of an execution in progress and of one step of it. */
  timeoutMinutesMax: number;
  rolloutPerMinuteMax: number;
  retriesMax: number;
  /** Executions a thing is told of when it asks. */
  pendingExecutionsShownMax: number;
  /** Executions in one notice of a change. */
  noticeExecutionsMax: number;
  /** Executions made, changed or deleted in one commit; then others get their turn. */
  executionsPerTurn: number;
  /** Timers are looked at no later than this. */
  timerSecondsMax: number;
  pageSizeMax: number;
}

/** The vendor's where it has them (aws-iot.md, 8 and 12). */
export const defaultFleetJobLimits: FleetJobLimits = {
  jobIdCharactersMax: 64,
  documentBytesMax: 32 * 1024,
  descriptionCharactersMax: 2028,
  commentCharactersMax: 2028,
  targetsMax: 100,
  jobsMax: 10_000,
  statusDetailsPairsMax: 10,
  statusDetailsKeyCharactersMax: 128,
  statusDetailsValueCharactersMax: 1_024,
  timeoutMinutesMax: 10_080,
  rolloutPerMinuteMax: 1_000,
  retriesMax: 10,
  pendingExecutionsShownMax: 100,
  noticeExecutionsMax: 15,
  executionsPerTurn: 50,
  timerSecondsMax: 3_600,
  pageSizeMax: 250,
};
