/** Limits of the events about clients. */
export interface AwsEventLimits {
  /** Client ids whose connections are counted; of the one that changed longest ago the count begins anew. */
  presenceVersionsMax: number;
  /** A client that was away for so long is counted from 0 again (AWS reference, 10.1). */
  presenceVersionSecondsMax: number;
}

export const defaultAwsEventLimits: AwsEventLimits = {
  presenceVersionsMax: 200_000,
  presenceVersionSecondsMax: 3_600,
};
