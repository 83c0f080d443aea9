export interface ProvisioningLimits {
  templateBodyCharactersMax: number;
  templateVersionsMax: number;
  /** How long a device may take to use the certificate that was made for it. */
  ownershipSeconds: number;
  /** Certificates that wait for their device. */
  pendingCertificatesMax: number;
  /** How long a claim certificate of a trusted user is good for. */
  claimSeconds: number;
  claimsMax: number;
  /** Of devices, at the same time: keys cost seconds of a core. */
  requestsMax: number;
  /** Of a device's request. */
  requestBytesMax: number;
  parametersMax: number;
  parameterCharactersMax: number;
  hookMilliseconds: number;
  hookAnswerBytesMax: number;
}

export const defaultProvisioningLimits: ProvisioningLimits = {
  templateBodyCharactersMax: 10_240,
  templateVersionsMax: 5,
  ownershipSeconds: 3_600,
  pendingCertificatesMax: 5_000,
  claimSeconds: 300,
  claimsMax: 1_000,
  requestsMax: 32,
  requestBytesMax: 16_384,
  parametersMax: 50,
  parameterCharactersMax: 8_192,
  hookMilliseconds: 5_000,
  hookAnswerBytesMax: 16_384,
};
