import type { RegistrationDialect } from "@thingstead/dialects";
import type { Registrar } from "../../access/index.ts";
import { type DeviceRoute, parseForm } from "./device-routes.ts";
import { answerJson } from "./http-answer.ts";

export interface RegistrationRoutesPorts {
  dialect: RegistrationDialect;
  registrar: Pick<Registrar, "answer">;
  /** Where devices connect. */
  host(): { host: string; port: number };
}

/**
 * Dynamic registration and bootstrap (Alibaba device reference 2.5 and 2.9): always HTTP 200, the body's `code` tells. A
 * bootstrap is not signed: it tells every device the same.
 */
export function createRegistrationRoutes({ dialect, registrar, host }: RegistrationRoutesPorts): DeviceRoute[] {
  const bootstrap = async () => answerJson(dialect.bootstrap(host()));
  return [
    {
      method: "POST",
      path: "/auth/register/device",
      async answer({ body, remoteAddress, isSecure }) {
        return answerJson((await registrar.answer(dialect, { fields: parseForm(body), remoteAddress, isSecure })).body);
      },
    },
    { method: "POST", path: "/auth/bootstrap", answer: bootstrap },
    { method: "GET", path: "/auth/bootstrap", answer: bootstrap },
    // `/auth/bootstrap/regionId/${n}` of the Link SDK 4.
    { method: "GET", path: "/auth/bootstrap/*", answer: bootstrap },
    { method: "POST", path: "/auth/bootstrap/*", answer: bootstrap },
  ];
}
