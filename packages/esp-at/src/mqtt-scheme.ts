/** `<scheme>` of AT+MQTTUSERCFG. [ESP-AT 2.2] */
export interface MqttScheme {
  isTls: boolean;
  isWebSocket: boolean;
  /** The server's certificate, its dates included. */
  verifies: boolean;
  sendsCertificate: boolean;
}

const rows: readonly MqttScheme[] = [false, true].flatMap((isWebSocket) => [
  { isTls: false, isWebSocket, verifies: false, sendsCertificate: false },
  { isTls: true, isWebSocket, verifies: false, sendsCertificate: false },
  { isTls: true, isWebSocket, verifies: true, sendsCertificate: false },
  { isTls: true, isWebSocket, verifies: false, sendsCertificate: true },
  { isTls: true, isWebSocket, verifies: true, sendsCertificate: true },
]);

export const schemeMax = rows.length;

/** @param scheme 1 to 10 */
export function schemeOf(scheme: number): MqttScheme {
  const row = rows[scheme - 1];
  if (row === undefined) throw new RangeError(`no scheme ${scheme}`);
  return row;
}
