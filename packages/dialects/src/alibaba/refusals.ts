/** CONNACK codes of refusals. Source: alibaba-device.md, 2.10. */
import type { RefusalCodes } from "../dialect.ts";

const clientIdRejected: RefusalCodes = { returnCode: 2, reasonCode: 0x85 };
const credentialsMalformed: RefusalCodes = { returnCode: 4, reasonCode: 0x86 };
const credentialsWrong: RefusalCodes = { returnCode: 5, reasonCode: 0x86 };
const notAuthorized: RefusalCodes = { returnCode: 5, reasonCode: 0x87 };
/** A bad token is answered with 3, not 4 or 5: devices fetch a new token on it. */
const tokenRejected: RefusalCodes = { returnCode: 3, reasonCode: 0x86 };
const unavailable: RefusalCodes = { returnCode: 3, reasonCode: 0x88 };

const codesOfRefusal: Readonly<Record<string, RefusalCodes>> = {
  "access.client_id_too_long": clientIdRejected,
  "access.client_id_malformed": clientIdRejected,
  "access.secure_mode_unsupported": clientIdRejected,
  "access.sign_method_unknown": clientIdRejected,
  "access.user_name_malformed": credentialsMalformed,
  "access.password_missing": credentialsMalformed,
  "access.password_malformed": credentialsMalformed,
  // 2.6: while registering, 4 stands for signature, product and switch, 2 for parameters and plain TCP.
  "access.registration_insecure": clientIdRejected,
  "access.registration_signature": credentialsMalformed,
  "access.registration_closed": credentialsMalformed,
  "access.registration_device_unknown": credentialsMalformed,
  "access.registration_activated": credentialsMalformed,
  "access.registration_clients_exceeded": credentialsMalformed,
  "access.product_unknown": credentialsMalformed,
  "access.device_unknown": credentialsWrong,
  "access.signature_mismatch": credentialsWrong,
  "access.device_disabled": notAuthorized,
  "access.token_invalid": tokenRejected,
  "access.token_expired": tokenRejected,
  "access.token_device_gone": tokenRejected,
  "access.keep_alive_out_of_range": unavailable,
  "access.unavailable": unavailable,
};

export function refusalCodesOf(code: string): RefusalCodes {
  return (Object.hasOwn(codesOfRefusal, code) ? codesOfRefusal[code] : undefined) ?? notAuthorized;
}
