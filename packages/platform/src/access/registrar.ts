/** Devices that fetch their credentials with the product's secret. Source: alibaba-device.md, 2.5 and 2.6. */
import type { DialectRefusal, RegistrationClaim, RegistrationDialect } from "@thingstead/dialects";
import type { Clock, Random } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import { formatError, PlatformError } from "../errors/index.ts";
import type { Device, Product, Registry } from "../registry/index.ts";
import type { AccessLimits } from "./limits.ts";
import { formSizeRefusal } from "./pre-auth.ts";
import { hashToken, tokenBytes } from "./token-hash.ts";
import type { DeviceTokenStore } from "./tokens.ts";

export interface RegistrarPorts {
  registry: Pick<Registry, "findProduct" | "findDevice" | "createDevice" | "renewDeviceSecret">;
  deviceTokens: DeviceTokenStore;
  deviceLog: Pick<DeviceLog, "write">;
  clock: Pick<Clock, "now">;
  random: Random;
  limits: Pick<AccessLimits, "preAuthFieldsMax" | "preAuthFormBytesMax" | "clientsPerDeviceMax">;
  onFailure(error: unknown): void;
}

type Registration =
  | { kind: "secret"; device: Device }
  /** Only this once is the token known. */
  | { kind: "token"; device: Device; clientId: string; deviceToken: string };

export interface Registrar {
  /** Refusals by code, in this order: product, signature, switch, device. Rejects when the store fails. */
  register(
    dialect: Pick<RegistrationDialect, "verify">,
    claim: RegistrationClaim,
    remoteAddress: string,
  ): Promise<Registration | DialectRefusal>;
  /** The form of a registration over HTTPS; `body` is the exact JSON object to answer. */
  answer(
    dialect: RegistrationDialect,
    request: { fields: Readonly<Record<string, string>>; remoteAddress: string; isSecure: boolean },
  ): Promise<{ body: object }>;
}

export function createRegistrar(ports: RegistrarPorts): Registrar {
  const { registry, deviceTokens, random, clock, limits } = ports;

  async function prove(
    dialect: Pick<RegistrationDialect, "verify">,
    claim: RegistrationClaim,
  ): Promise<{ kind: "proven"; product: Product } | DialectRefusal> {
    const product = await registry.findProduct(claim.productKey);
    if (product === undefined) return refuse("access.product_unknown", claim.productKey, "a product of the registry");
    const verdict = dialect.verify(claim, product.productSecret);
    if (verdict.kind === "refused") return verdict;
    if (product.authType !== "secret") return refuse("access.credential_kind", "the product's secret", product.authType);
    const isOpen = claim.mode === "known" ? product.isRegistrationOpen : product.isSelfRegistrationOpen;
    if (!isOpen) return refuse("access.registration_closed", claim.mode, "a product whose registration switch is on");
    return { kind: "proven", product };
  }

  async function registerKnown({ productKey, deviceName }: RegistrationClaim): Promise<Registration | DialectRefusal> {
    const device = await registry.findDevice(productKey, deviceName);
    const received = `${productKey}/${deviceName}`;
    if (device === undefined) return refuse("access.registration_device_unknown", received, "a device of the registry");
    if (!device.isEnabled) return refuse("access.device_disabled", received, "an enabled device");
    const renewed = await registry.renewDeviceSecret(productKey, deviceName);
    if (renewed === undefined) return refuse("access.registration_activated", received, "a device that never connected, or was reset");
    return { kind: "secret", device: renewed };
  }

  /** A device that has a secret of its own in use cannot be taken over by whoever has the product's. */
  async function registerSelf({ productKey, deviceName }: RegistrationClaim): Promise<Registration | DialectRefusal> {
    const received = `${productKey}/${deviceName}`;
    const device = (await registry.findDevice(productKey, deviceName)) ?? (await create(productKey, deviceName));
    if ("kind" in device) return device;
    if (!device.isEnabled) return refuse("access.device_disabled", received, "an enabled device");
    if (device.activatedAt !== undefined && (await deviceTokens.list(productKey, deviceName)).length === 0) {
      return refuse("access.registration_activated", received, "a device that registered itself, never connected, or was reset");
    }
    const clientId = random.bytes(tokenBytes).toString("hex");
    const deviceToken = random.bytes(tokenBytes).toString("hex");
    const row = { productKey, deviceName, clientId, tokenHash: hashToken(deviceToken), createdAt: clock.now() };
    const outcome = await deviceTokens.insert(row, limits.clientsPerDeviceMax);
    if (outcome === "ok") return { kind: "token", device, clientId, deviceToken };
    if (outcome === "no_device") return refuse("access.registration_device_unknown", received, "a device of the registry");
    return refuse("access.registration_clients_exceeded", received, `at most ${limits.clientsPerDeviceMax}`);
  }

  async function create(productKey: string, deviceName: string): Promise<Device | DialectRefusal> {
    try {
      return await registry.createDevice(productKey, { deviceName });
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      // Another connection was faster.
      const device = error.code === "registry.device_name_taken" ? await registry.findDevice(productKey, deviceName) : undefined;
      if (device !== undefined) return device;
      if (error.code.startsWith("registry.invalid")) return refuse("access.parameter_malformed", deviceName, error.message);
      if (error.code === "registry.too_many_devices")
        return refuse("access.registration_closed", error.message, "room for one more device");
      throw error;
    }
  }

  async function register(
    dialect: Pick<RegistrationDialect, "verify">,
    claim: RegistrationClaim,
    remoteAddress: string,
  ): Promise<Registration | DialectRefusal> {
    const proof = await prove(dialect, claim);
    if (proof.kind === "refused") return proof;
    const outcome = await (claim.mode === "known" ? registerKnown(claim) : registerSelf(claim));
    if (outcome.kind !== "refused") {
      const { productKey, deviceName } = claim;
      ports.deviceLog.write({ kind: "auth", code: "device.registered", isSuccess: true, productKey, deviceName, remoteAddress });
    }
    return outcome;
  }

  return {
    register,

    async answer(dialect, { fields, remoteAddress, isSecure }) {
      const no = (refusal: DialectRefusal, names?: { productKey: string; deviceName: string }) => {
        const { code, received = "nothing", expected = "something else" } = refusal;
        const reason = formatError(code, { received, expected }, "en");
        ports.deviceLog.write({ kind: "auth", code, isSuccess: false, remoteAddress, reason, received, expected, ...names });
        return { body: dialect.refuse(code) };
      };
      // The answer is a secret.
      if (!isSecure) return no(refuse("access.registration_insecure", "plain HTTP", "HTTPS"));
      const tooLarge = formSizeRefusal(fields, limits);
      if (tooLarge !== undefined) return no(tooLarge);
      const claim = dialect.read(fields);
      if (claim.kind === "refused") return no(claim);
      const names = { productKey: claim.productKey, deviceName: claim.deviceName };
      try {
        const outcome = await register(dialect, claim, remoteAddress);
        if (outcome.kind === "refused") return no(outcome, names);
        return { body: dialect.grant({ ...names, deviceSecret: outcome.device.deviceSecret }) };
      } catch (error) {
        ports.onFailure(error);
        return no({ kind: "refused", code: "access.unavailable" }, names);
      }
    },
  };
}

function refuse(code: string, received: string, expected: string): DialectRefusal {
  return { kind: "refused", code, received, expected };
}
