/** Limits of the AWS API. */
export interface AwsApiLimits {
  /** How far a signature's time may be from our clock; also the life of a signed query that does not say its own. */
  clockSkewSecondsMax: number;
  /** Largest request body. */
  bodyBytesMax: number;
  /** Length of each text that a signature refusal shows. */
  canonicalCharactersMax: number;
  /** Characters of what was received that an error repeats. */
  receivedCharactersMax: number;
  /** Things, resources or tags that one call names. */
  itemsPerCallMax: number;
  /** Compiled policies of certificates on the data planes. */
  principalsCachedMax: number;
}

export const defaultAwsApiLimits: AwsApiLimits = {
  clockSkewSecondsMax: 300,
  bodyBytesMax: 1024 * 1024,
  canonicalCharactersMax: 16_384,
  receivedCharactersMax: 100,
  itemsPerCallMax: 100,
  principalsCachedMax: 1_000,
};
