/** Authentication before the connection: a signed form in, a token for MQTT out. The words are the dialect's. */
import type { DialectRefusal, PreAuthDialect } from "@thingstead/dialects";
import type { Clock, Random } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import { formatError } from "../errors/index.ts";
import type { Device, Registry } from "../registry/index.ts";
import type { AccessLimits } from "./limits.ts";
import { hashToken, tokenBytes } from "./token-hash.ts";
import type { PreAuth, PreAuthRequest, TokenStore } from "./tokens.ts";

export interface PreAuthPorts {
  dialect: PreAuthDialect;
  registry: Pick<Registry, "findDevice">;
  tokens: Pick<TokenStore, "insert" | "deleteExpired">;
  deviceLog: Pick<DeviceLog, "write">;
  clock: Pick<Clock, "now">;
  random: Random;
  /** Where devices go with their token. */
  host(): { host: string; port: number };
  limits: Pick<AccessLimits, "preAuthFieldsMax" | "preAuthFormBytesMax" | "tokenSweepSeconds">;
  onFailure(error: unknown): void;
}

export function createPreAuth(ports: PreAuthPorts): PreAuth {
  let sweptAt = ports.clock.now();

  async function authenticate({ fields, remoteAddress }: PreAuthRequest): Promise<{ body: object }> {
    const refuse = (refusal: DialectRefusal, device?: Pick<Device, "productKey" | "deviceName">) => {
      logRefusal(refusal, remoteAddress, device);
      return { body: ports.dialect.refuse(refusal.code) };
    };
    const tooLarge = formSizeRefusal(fields, ports.limits);
    if (tooLarge !== undefined) return refuse(tooLarge);
    const claim = ports.dialect.read(fields);
    if (claim.kind === "refused") return refuse(claim);
    const names = { productKey: claim.productKey, deviceName: claim.deviceName };
    try {
      const device = await ports.registry.findDevice(claim.productKey, claim.deviceName);
      const received = `${claim.productKey}/${claim.deviceName}`;
      if (device === undefined) return refuse({ kind: "refused", code: "access.device_unknown", received }, names);
      const verdict = ports.dialect.verify(claim, device.deviceSecret);
      if (verdict.kind === "refused") return refuse(verdict, names);
      // Told only to whoever holds the secret.
      if (!device.isEnabled) return refuse({ kind: "refused", code: "access.device_disabled", received }, names);
      const token = await issue(device);
      ports.deviceLog.write({
        kind: "auth",
        code: "device.pre_authenticated",
        isSuccess: true,
        remoteAddress,
        clientId: claim.clientMark,
        ...names,
      });
      return { body: ports.dialect.grant({ iotId: device.iotId, token, ...ports.host() }) };
    } catch (error) {
      ports.onFailure(error);
      return refuse({ kind: "refused", code: "access.unavailable" }, names);
    }
  }

  /** Earlier tokens of the device stay good until they expire (2.4). */
  async function issue({ iotId, productKey, deviceName }: Device): Promise<string> {
    const token = ports.random.bytes(tokenBytes).toString("hex");
    const expiresAt = ports.clock.now() + ports.dialect.tokenSeconds * 1000;
    await ports.tokens.insert({ tokenHash: hashToken(token), iotId, productKey, deviceName, expiresAt });
    await sweep();
    return token;
  }

  async function sweep(): Promise<void> {
    const now = ports.clock.now();
    if (now - sweptAt < ports.limits.tokenSweepSeconds * 1000) return;
    sweptAt = now;
    try {
      await ports.tokens.deleteExpired(now);
    } catch (error) {
      // The device has its token; the next sweep takes what this one left.
      ports.onFailure(error);
    }
  }

  function logRefusal(
    { code, received, expected }: DialectRefusal,
    remoteAddress: string,
    device?: Pick<Device, "productKey" | "deviceName">,
  ): void {
    ports.deviceLog.write({
      kind: "auth",
      code,
      isSuccess: false,
      remoteAddress,
      reason: formatError(code, { received: received ?? "nothing", expected: expected ?? "something else" }, "en"),
      ...(received === undefined ? {} : { received }),
      ...(expected === undefined ? {} : { expected }),
      ...device,
    });
  }

  return { authenticate };
}

/** A form that is larger than what any device submits. */
export function formSizeRefusal(
  fields: PreAuthRequest["fields"],
  limits: Pick<AccessLimits, "preAuthFieldsMax" | "preAuthFormBytesMax">,
): DialectRefusal | undefined {
  const entries = Object.entries(fields);
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (entries.length <= limits.preAuthFieldsMax && bytes <= limits.preAuthFormBytesMax) return undefined;
  return {
    kind: "refused",
    code: "access.too_many_fields",
    received: `${entries.length} fields, ${bytes} bytes`,
    expected: `at most ${limits.preAuthFieldsMax} fields, ${limits.preAuthFormBytesMax} bytes`,
  };
}
