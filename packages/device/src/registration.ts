/** Credentials for a product's secret: what a device does once, in the factory or when it is first plugged in. Source: alibaba-device.md, 2.5, 2.6. */
import { randomUUID } from "node:crypto";
import { readRegistrationAnswer, registrationConnect, signRegistration } from "@thingstead/dialects";
import { type IClientOptions, MqttClient } from "mqtt";
import { refusalCodeOf } from "./connect-errors.ts";
import { DeviceError } from "./errors.ts";
import { membersOf, numberOf, textOf } from "./members.ts";
import { type DeviceOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { postForm } from "./post-form.ts";
import { openStream } from "./stream.ts";

/** Where and how to register: the options of the device to be, and the secret of its product instead of its own. */
export interface RegistrationSettings extends Omit<DeviceOptions, "deviceSecret" | "deviceToken" | "mode"> {
  productSecret: string;
}

export interface RegisteredDevice {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
}

/** What `connect` needs of a device that nobody knew: all of it goes into its options. */
export interface RegisteredUnknown {
  productKey: string;
  deviceName: string;
  clientId: string;
  deviceToken: string;
}

/** The answer comes at once; the cloud closes such a connection after 15 s (2.6). */
const registrationKeepAliveSeconds = 60;

/**
 * Fetches the secret of a device that the cloud knows by name, over HTTPS.
 *
 * @throws DeviceError `device.registration_refused` (with `cloudCode` 6288 switched off, 6289 already active, 6600 signature,
 *   6100 unknown name, …), `device.registration_unreachable`, `device.registration_malformed`
 * @example
 * const { deviceSecret } = await register({ productKey, deviceName, productSecret, host: "things.example", ca });
 */
export async function register(settings: RegistrationSettings): Promise<RegisteredDevice> {
  const options = resolve(settings);
  const { productKey, deviceName, productSecret } = settings;
  const { preAuthHost: host, preAuthPort: port } = options;
  const server = `${host}:${port}`;
  const fields = signRegistration({ productKey, deviceName, productSecret, random: randomUUID() });
  const text = await postForm(
    options,
    { host, port, path: "/auth/register/device" },
    fields,
    (reason, cause) => new DeviceError("device.registration_unreachable", { server, reason }, { cause }),
  );
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw new DeviceError("device.registration_malformed", { server, received: text.slice(0, 200) }, { cause });
  }
  const { code, message, data } = membersOf(answer);
  if (numberOf(code) !== 200) {
    throw new DeviceError("device.registration_refused", {
      deviceName,
      cloudCode: numberOf(code) ?? String(code),
      cloudMessage: String(message),
    });
  }
  const deviceSecret = textOf(membersOf(data).deviceSecret);
  // The answer holds a secret, perhaps under another name: only its members' names are told.
  if (deviceSecret === undefined) {
    throw new DeviceError("device.registration_malformed", { server, received: Object.keys(membersOf(data)).join(", ") });
  }
  return { productKey, deviceName, deviceSecret };
}

/**
 * The same over MQTT, for devices without HTTPS.
 *
 * @throws DeviceError `device.registration_refused` (with the CONNACK's code as `cloudCode`), `device.registration_unreachable`
 */
export async function registerOverMqtt(settings: RegistrationSettings): Promise<RegisteredDevice> {
  const answer = await ask(settings, "register");
  if (answer.kind === "secret") return { productKey: answer.productKey, deviceName: answer.deviceName, deviceSecret: answer.deviceSecret };
  throw new DeviceError("device.registration_malformed", { server: "MQTT", received: answer.kind });
}

/** Registers a device that the cloud does not know yet: it is created, and gets a token instead of a secret. */
export async function registerUnknown(settings: RegistrationSettings): Promise<RegisteredUnknown> {
  const answer = await ask(settings, "regnwl");
  if (answer.kind === "token") {
    const { productKey, deviceName, clientId, deviceToken } = answer;
    return { productKey, deviceName, clientId, deviceToken };
  }
  throw new DeviceError("device.registration_malformed", { server: "MQTT", received: answer.kind });
}

function resolve(settings: RegistrationSettings): ResolvedOptions {
  const { productSecret } = settings;
  if (typeof productSecret !== "string" || productSecret === "") {
    throw new DeviceError("device.option_missing", { option: "productSecret", expected: "a text" });
  }
  // A secret must not travel in the clear: registration is over TLS always.
  return resolveOptions({ ...settings, deviceSecret: productSecret, mode: "tls" });
}

type Answer = NonNullable<ReturnType<typeof readRegistrationAnswer>>;

function ask(settings: RegistrationSettings, authType: "register" | "regnwl"): Promise<Answer> {
  const options = resolve(settings);
  const { productKey, deviceName, productSecret } = settings;
  const { host, port, clock, connectTimeoutMilliseconds: milliseconds } = options;
  const server = `${host}:${port}`;
  const { clientId, userName, password } = registrationConnect({ productKey, deviceName, productSecret, random: randomUUID(), authType });
  const mqttOptions: IClientOptions = {
    protocolVersion: 4,
    clientId,
    username: userName,
    password,
    keepalive: registrationKeepAliveSeconds,
    connectTimeout: milliseconds,
    reconnectPeriod: 0,
  };
  const client = new MqttClient(() => openStream(options, host, port), mqttOptions);
  return new Promise((done, fail) => {
    const settle = (finish: () => void) => {
      cancel();
      // Errors of a connection that is of no use any more are nobody's business; without a listener they would be thrown.
      client.removeAllListeners().on("error", () => {});
      client.end(true);
      finish();
    };
    const unreachable = (reason: string, cause?: unknown) =>
      new DeviceError("device.registration_unreachable", { server, reason }, { cause });
    const cancel = clock.after(milliseconds, () => settle(() => fail(unreachable(`no answer within ${milliseconds} ms`))));
    client.on("message", (topic, payload) => {
      const answer = readRegistrationAnswer(topic, payload);
      if (answer !== undefined) settle(() => done(answer));
    });
    client.on("close", () => settle(() => fail(unreachable("the server closed the connection"))));
    client.on("error", (error) => {
      const cloudCode = refusalCodeOf(error);
      const details = { deviceName, cloudCode: cloudCode ?? 0, cloudMessage: error.message };
      settle(() =>
        fail(cloudCode === undefined ? unreachable(error.message, error) : new DeviceError("device.registration_refused", details)),
      );
    });
  });
}
