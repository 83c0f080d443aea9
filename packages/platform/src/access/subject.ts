/** Who a session belongs to: the engine hands it back with every event. */
export interface DeviceSubject {
  readonly kind: "device";
  readonly dialect: string;
  readonly productKey: string;
  readonly deviceName: string;
  readonly iotId: string;
}

/** The identity a session is bound to; never the MQTT client id, which two devices may share. */
export function sessionIdOf(productKey: string, deviceName: string): string {
  return `${productKey}/${deviceName}`;
}

export function isDeviceSubject(subject: unknown): subject is DeviceSubject {
  return typeof subject === "object" && subject !== null && "kind" in subject && subject.kind === "device";
}
