/** CONNACK codes of refusals, as the standard gives them. [MQTT-3.2.2-8] */
import type { RefusalCodes } from "../dialect.ts";

const notAuthorized: RefusalCodes = { returnCode: 5, reasonCode: 0x87 };

const codesOfRefusal: Readonly<Record<string, RefusalCodes>> = {
  "access.user_credentials_wrong": { returnCode: 5, reasonCode: 0x86 },
  "access.password_malformed": { returnCode: 4, reasonCode: 0x86 },
  "registry.password_checks_exceeded": { returnCode: 3, reasonCode: 0x89 },
  "access.unavailable": { returnCode: 3, reasonCode: 0x88 },
};

export function refusalCodesOf(code: string): RefusalCodes {
  return (Object.hasOwn(codesOfRefusal, code) ? codesOfRefusal[code] : undefined) ?? notAuthorized;
}
