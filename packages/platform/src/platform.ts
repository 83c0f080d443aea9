/** Wires the rooms into one running platform. Knows every room; imported only by the package's door and `start-server.ts`. */
import {
  alibabaCertificateHosts,
  alibabaDialect,
  alibabaKeepAlivePolicy,
  alibabaStrictKeepAlivePolicy,
  awsCertificateHosts,
  awsDeviceHosts,
} from "@thingstead/dialects";
import { createBroker, createMemoryJournal, createSinglePeer } from "@thingstead/mqtt";
import type { Logger } from "pino";
import {
  createAccessWatcher,
  createAnonymousGate,
  createDeviceCertificates,
  createDeviceClients,
  createDeviceSubscriptions,
  createGatekeeper,
  createObserver,
  createPreAuth,
  createRegistrar,
  createRegistrationSessions,
  createSessionRoutes,
  createSubDevices,
  createTopicBook,
  createUserGate,
  createUserWatcher,
  sessionIdOf,
} from "./access/index.ts";
import {
  createAccessKeys,
  createAlibabaApi,
  createFailedAuthCounter,
  createFirmwareUploads,
  createScriptLinks,
  type HealthStatus,
  openApi,
} from "./api/index.ts";
import {
  createAlibabaHandlers,
  createGatewayBinding,
  createJobSessions,
  createOpenTopics,
  createOtaSessions,
  createRuleContext,
  createScriptedTopics,
  createServiceHandlers,
  createStatusForwards,
  createSubDeviceLookup,
  createThingDownlink,
  createUplinkRouter,
  forwardRegistryChanges,
  sendLifecycleNotices,
} from "./bindings/index.ts";
import { type Clock, type Random, systemClock, systemRandom } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import { createDeviceLog } from "./device-log/index.ts";
import { PlatformError } from "./errors/index.ts";
import { createFailureLog } from "./failure-log.ts";
import { openRootCredentials, type RootCredentials } from "./first-start.ts";
import { thingNaming, thingProductKey } from "./fleet/index.ts";
import {
  createAwsDataRoutes,
  createCertificateRequests,
  createDeviceRoutes,
  createDownloadRoutes,
  createLinkedFileRoutes,
  createRegistrationRoutes,
  openCertificates,
  openFrontDoor,
} from "./front-door/index.ts";
import {
  createBroadcast,
  createDeviceEvents,
  createDownlink,
  createLostConnections,
  createMessageIds,
  createMessages,
  createRrpc,
} from "./messages/index.ts";
import { bindAws, openAws } from "./open-aws.ts";
import { openAwsApi, openFleetPorts } from "./open-aws-api.ts";
import { openDeviceServices } from "./open-device-services.ts";
import { openOta } from "./open-ota.ts";
import { createGroups, createMqttUsers, createRegistrationBatches, createRegistry, createTags, createTopology } from "./registry/index.ts";
import { createAddressPolicy, createHttpWebhookSender, createRuleEngine, defaultRuleSettings } from "./rules/index.ts";
import { createScripts } from "./scripts/index.ts";
import { loadMasterKey, noteJournal, openStore, SqliteHistory, SqliteJournal } from "./store/index.ts";
import { createThings } from "./things/index.ts";
import { version } from "./version.ts";

export interface Platform {
  /** Bound `host:port` by kind of port. */
  listen: HealthStatus["listen"];
  credentials: RootCredentials;
  caFile: string;
  /** Settles when it can no longer keep its promises and has to end. */
  failure: Promise<PlatformError>;
  /** Stops taking work, tells devices, writes what is pending. */
  close(): Promise<void>;
}

const drainMilliseconds = 5_000;
/** What old firmware's pre-authentication is told to connect to when several device ports are open. */
const usualDevicePort = 1883;

/** Of an endpoint that names one. */
const portSuffix = /:\d+$/;

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(":") + 1));

/**
 * Opens everything in the order of dependence and closes what was opened when a later step fails.
 *
 * @throws PlatformError `store.*`, `front_door.*`, `api.*`, `start.*`
 */
export async function openPlatform(settings: Settings, logger: Logger): Promise<Platform> {
  const closers: (() => Promise<void> | void)[] = [];
  try {
    return await open(settings, logger, { clock: systemClock, random: systemRandom }, closers);
  } catch (error) {
    await closeAll(closers, logger);
    throw error;
  }
}

function warnOf(code: string, logger: Logger): void {
  const { row } = new PlatformError(code);
  logger.warn({ code }, `${row.en} / ${row.zh}`);
}

/** Last opened, first closed; one that fails does not keep the others open. */
async function closeAll(closers: (() => Promise<void> | void)[], logger: Logger): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    try {
      await close();
    } catch (error) {
      logger.error({ err: error }, "closing failed");
    }
  }
}

async function open(
  settings: Settings,
  logger: Logger,
  { clock, random }: { clock: Clock; random: Random },
  closers: (() => Promise<void> | void)[],
): Promise<Platform> {
  const { limits, dataDir, host } = settings;
  const report = (problem: PlatformError) => logger.error({ code: problem.code, err: problem }, problem.message);
  const onFailure = createFailureLog(logger, clock);
  const onBug = (error: unknown, state?: unknown) =>
    logger.error({ err: error, state }, "a fault of ours; only that connection was closed");

  const store = await openStore({ dataDir, masterKey: loadMasterKey(dataDir), random, limits: limits.store });
  closers.push(() => store.close());
  const credentials = await openRootCredentials(settings, store.settings, random);

  const deviceLog = await createDeviceLog({ store: store.deviceLog, clock, limits: limits.deviceLog, report });
  closers.push(() => deviceLog.close());
  const registry = createRegistry({
    store: store.registry,
    clock,
    random,
    limits: limits.registry,
    namings: { [thingProductKey]: thingNaming },
    report,
  });
  await registry.start();
  closers.push(() => registry.close());
  const groups = createGroups({ store: store.groups, clock, random, limits: limits.registry });
  const registrationBatches = createRegistrationBatches({
    registry,
    store: store.registrationBatches,
    clock,
    limits: limits.registry,
    onFailure,
  });
  await registrationBatches.start();
  closers.push(() => registrationBatches.close());
  const tags = createTags({ registry, store: store.tags, limits: limits.registry });
  const topology = createTopology({ registry, store: store.topology, clock, limits: limits.registry });

  const topicBook = createTopicBook({ registry });
  const dialects = [alibabaDialect];
  if (settings.plain === "anonymous") warnOf("start.plain_anonymous", logger);
  const addressPolicy = createAddressPolicy(settings.rules);
  const ruleContext = createRuleContext({ broker: () => broker, thingShadows: () => awsRooms.data.thingShadows });
  const rules = createRuleEngine({
    store: store.rules,
    // Rules speak to messages and messages to the broker, whose gatekeeper asks the rules: the circle closes here.
    republisher: { republish: (message) => messages.republish(message) },
    http: createHttpWebhookSender({ clock, addressPolicy, limits: limits.rules }),
    deviceLog,
    clock,
    random,
    addressPolicy,
    limits: limits.rules,
    settings: { ...defaultRuleSettings, accountId: settings.aws.accountId },
    context: ruleContext,
  });
  const accessKeys = createAccessKeys({ rootKey: credentials.accessKey });
  const awsPorts = {
    settings,
    store,
    registry,
    deviceLog,
    rules,
    ruleContext,
    broker: () => broker,
    certificates: () => certificates,
    secretOf: accessKeys.findSecret,
    clock,
    random,
    report,
    onFailure,
  };
  const aws = await openAws(awsPorts);
  closers.push(() => aws.close());
  const { promise: failure, resolve: gaveUp } = Promise.withResolvers<PlatformError>();
  const journal =
    settings.journal === "memory"
      ? createMemoryJournal()
      : new SqliteJournal({ dataDir, clock, random, limits: limits.journal, report, gaveUp });
  closers.push(() => journal.close());
  const mqttUsers = createMqttUsers({ store: store.mqttUsers, clock, random, limits: limits.mqttUsers });
  const plainPorts = { grants: aws.taps, limits: limits.plainSession };
  const plain = {
    off: {},
    anonymous: { plain: createAnonymousGate(plainPorts) },
    users: { plain: createUserGate({ ...plainPorts, users: mqttUsers, onFailure }) },
  }[settings.plain];
  const uplinks = createUplinkRouter({ onFailure });
  const events = createDeviceEvents({ rules: { offer: rules.offer, tapsFor: aws.taps.tapsFor }, topicOwner: alibabaDialect.topicOwner });
  const scripts = createScripts({
    store: store.scripts,
    checkProduct: async (productKey) => void (await registry.getProduct(productKey)),
    clock,
    limits: limits.scripts,
  });
  closers.push(() => scripts.close());
  registry.onChange(({ kind, productKey }) => {
    if (kind === "product.deleted") scripts.forget(productKey);
  });
  const payloadScripts = createScriptedTopics({ scripts, events, deviceLog, onFailure });
  const lost = createLostConnections(clock, limits.messages);
  const statusForwards = createStatusForwards({ events, clock, onFailure });
  const registrar = createRegistrar({
    registry,
    deviceTokens: store.deviceTokens,
    deviceLog,
    clock,
    random,
    limits: limits.access,
    onFailure,
  });
  // The broker asks the gatekeeper, which knows these sessions, and these sessions speak to the broker: the circle closes here.
  const registrationSessions = createRegistrationSessions({ broker: () => broker, clock, limits: limits.access });
  const subDevices = createSubDevices({
    dialects,
    rights: { deviceLog, grants: events, systemTopics: uplinks, payloadScripts },
    topicBook,
    registry,
    deviceLog,
    broker: () => broker,
    clock,
    limits: limits.gateway,
  });
  const broker = createBroker({
    gatekeeper: aws.gate(
      createGatekeeper({
        dialects,
        registry,
        topicBook,
        tokens: store.tokens,
        deviceTokens: store.deviceTokens,
        deviceCertificates: store.deviceCertificates,
        registrar,
        subDevices,
        deviceLog,
        grants: events,
        systemTopics: uplinks,
        payloadScripts,
        limits: limits.session,
        gatewayLimits: limits.gateway,
        keepAlivePolicy: settings.alibaba.keepAlive === "strict" ? alibabaStrictKeepAlivePolicy : alibabaKeepAlivePolicy,
        clock,
        random,
        onFailure,
        ...plain,
      }),
    ),
    journal,
    peers: createSinglePeer(),
    clock,
    observer: createObserver({
      registry,
      deviceLog,
      dialects,
      clock,
      listeners: [
        registrationSessions,
        subDevices,
        statusForwards,
        lost,
        createOtaSessions(() => ota),
        createJobSessions(() => deviceServices.jobs),
        ...aws.listeners,
      ],
    }),
    limits: limits.mqtt,
    random,
    version: `thingstead version ${version}`,
    onBug,
  });
  const nextMessageId = createMessageIds(clock);
  const messages = createMessages({
    dialects,
    registry,
    topicBook,
    broker,
    openTopics: createOpenTopics({ router: aws.router, limits: limits.awsAccess }),
    deviceLog,
    clock,
    nextMessageId,
    limits: limits.messages,
  });
  const routeOf = createSessionRoutes({ broker, subDevices });
  const downlink = createDownlink({
    broker,
    routeOf,
    isAutomatic: (topic) => dialects.some((dialect) => dialect.isAutomatic(topic)),
  });
  const rrpc = createRrpc({
    downlink,
    registry,
    topics: alibabaDialect.rrpcTopics,
    topicOwner: alibabaDialect.topicOwner,
    lost,
    nextMessageId,
    clock,
    limits: limits.messages,
  });
  const broadcast = createBroadcast({
    broker,
    downlink,
    registry,
    topics: alibabaDialect.broadcastTopics,
    sessionPrefixOf: (productKey) => sessionIdOf(productKey, ""),
    nextMessageId,
    clock,
    limits: limits.messages,
  });
  const things = createThings({
    store: store.thingModels,
    history: new SqliteHistory({ dataDir, clock, limits: limits.history, report }),
    registry,
    downlink: createThingDownlink({ downlink, broker, rrpc, routeOf, registry, scripts }),
    clock,
    limits: limits.things,
    report,
  });
  await things.open();
  const { ota, downloads } = await openOta({
    settings,
    store,
    registry,
    groups,
    downlink,
    deviceLog,
    events,
    nextMessageId,
    deviceAddresses: () => status.listen.device,
    clock,
    random,
    onFailure,
  });
  const { deviceServices, linkedFiles } = await openDeviceServices({
    settings,
    store,
    registry,
    downlink,
    nextMessageId,
    deviceAddresses: () => status.listen.device,
    clock,
    random,
    onFailure,
  });
  const handlers = createAlibabaHandlers({
    downlink,
    rrpc,
    scripts,
    things,
    tags,
    ota,
    events,
    deviceLog,
    subDeviceOf: createSubDeviceLookup({ registry, topology }),
    clock,
    limits: limits.alibabaBinding,
  });
  const gateways = createGatewayBinding({
    downlink,
    registration: alibabaDialect.registration,
    registrar,
    registry,
    topology,
    subDevices,
    deviceLog,
    limits: limits.alibabaBinding,
    onFailure,
  });
  subDevices.onChange(statusForwards.subDevices);
  subDevices.onChange({ opened: ({ device }) => ota.connected(device.productKey, device.deviceName) });
  const services = createServiceHandlers({ deviceServices, downlink, deviceLog, clock, limits: limits.alibabaBinding });
  for (const family of [...handlers, ...gateways.families, ...services]) uplinks.add(family);
  const awsRooms = await bindAws({ ...awsPorts, aws, deviceServices });
  closers.push(() => awsRooms.close());
  // After the broker: what devices were told is stored must be.
  closers.push(() => deviceServices.close());
  // After the broker: acknowledgements wait for the history.
  closers.push(() => things.close());
  forwardRegistryChanges({ events, registry, topology, tags, clock, onFailure });
  rules.onChange(() => broker.forgetGrants());
  const deviceCertificates = createDeviceCertificates({
    registry,
    store: store.deviceCertificates,
    issue: (commonName) => certificates.issueClientCertificate(commonName),
    clock,
    limits: limits.access,
  });
  // Before the watcher, which cuts these devices.
  if (settings.alibaba.lifecycleNotices) sendLifecycleNotices({ registry, broker });
  const watcher = createAccessWatcher({
    registry,
    broker,
    topicBook,
    tokens: store.tokens,
    certificates: deviceCertificates,
    clock,
    limits: limits.access,
    onFailure,
  });
  closers.push(() => watcher.close());
  const userWatcher = createUserWatcher({ users: mqttUsers, broker, clock, limits: limits.access });
  closers.push(() => userWatcher.close());
  await rules.open();
  closers.push(() => rules.close());
  await broker.start();
  if (journal instanceof SqliteJournal) await noteJournal(store.settings, dataDir, journal.fileId, report);
  closers.push(() => broker.close());
  await ota.start();
  closers.push(() => ota.close());
  await deviceServices.start();

  const status: HealthStatus = { status: "starting", version, listen: { device: [], http: [], amqp: [] } };
  const firmwareUploads = createFirmwareUploads({ ota, clock, random, limits: limits.alibabaApi });
  const scriptLinks = createScriptLinks({ scripts, clock, random, limits: limits.alibabaApi });
  const alibaba = createAlibabaApi({
    registry,
    rules,
    messages,
    things,
    rrpc,
    broadcast,
    scripts,
    tags,
    groups,
    topology,
    gatewayNotices: gateways,
    deviceClients: createDeviceClients({ registry, store: store.deviceTokens, broker }),
    deviceCertificates,
    deviceSubscriptions: createDeviceSubscriptions({ broker, subDevices, dialects }),
    registrationBatches,
    ota,
    deviceServices,
    firmwareUploads,
    scriptLinks,
    nextMessageId,
    accessKeys,
    clock,
    random,
    limits: limits.alibabaApi,
    region: settings.region,
    instanceIds: settings.alibaba.instanceIds.length === 0 ? "any" : settings.alibaba.instanceIds,
    onCall: ({ bug, ...call }) =>
      bug === undefined ? logger.debug(call, "alibaba call") : logger.error({ ...call, err: bug }, "alibaba call failed"),
  });
  const failedAuth = createFailedAuthCounter(clock, limits.api);
  const awsApi = openAwsApi({
    settings,
    aws,
    rules,
    fleetJobs: awsRooms.fleetJobs,
    data: awsRooms.data,
    accessKeys,
    failedAuth,
    clock,
    random,
    logger,
  });
  const api = await openApi({
    registry,
    deviceCertificates,
    ...openFleetPorts(awsPorts, aws),
    topology,
    tags,
    groups,
    mqttUsers,
    rules,
    messages,
    things,
    ota,
    deviceServices,
    scripts,
    deviceLog,
    accessKeys,
    status: () => status,
    failedAuth,
    aws: awsApi.api,
    alibaba,
    firmwareUploads,
    scriptLinks,
    host,
    listen: settings.listen.http,
    limits: limits.api,
    logger,
    clock,
  });
  closers.push(() => api.close());
  status.listen.http = api.addresses;

  const certificates = await openCertificates({
    dataDir,
    hosts: [host, settings.aws.endpoint.replace(portSuffix, "")],
    vendorHosts: [...alibabaCertificateHosts, ...awsCertificateHosts(settings.aws.region)],
    namedHosts: awsDeviceHosts,
    clock,
    random,
    onRenewalFailed: (error) => logger.error({ err: error }, "the server certificate could not be renewed"),
  });
  closers.push(() => certificates.close());
  const devicePort = () => {
    const ports = status.listen.device.map(portOf);
    return ports.find((port) => port === usualDevicePort) ?? ports[0] ?? usualDevicePort;
  };
  const whereToConnect = () => ({ host, port: devicePort() });
  const preAuth = createPreAuth({
    dialect: alibabaDialect.preAuth,
    registry,
    tokens: store.tokens,
    deviceLog,
    clock,
    random,
    host: whereToConnect,
    limits: limits.access,
    onFailure,
  });
  const frontDoor = await openFrontDoor({
    broker,
    deviceHttp: createDeviceRoutes({
      routes: [
        ...createRegistrationRoutes({ dialect: alibabaDialect.registration, registrar, host: whereToConnect }),
        ...createAwsDataRoutes({ answer: awsApi.answerDevice }),
        ...createDownloadRoutes({ downloads, limits: limits.ota }),
        ...createLinkedFileRoutes({ linkedFiles, limits: limits.ota }),
      ],
      preAuth,
    }),
    certificates,
    listen: settings.listen.device,
    clock,
    deviceLog,
    limits: limits.frontDoor,
    tls: {
      minVersion: settings.tls.minVersion,
      acceptsLegacyClients: settings.tls.legacyClients,
      requestClientCertificate: createCertificateRequests(settings.tls.clientCertificates, settings.tls.certificatePorts),
    },
    onBug,
  });
  closers.push(async () => {
    status.status = "draining";
    // Together: the front door waits for the engine to close its connections.
    await Promise.all([frontDoor.close(drainMilliseconds), broker.close()]);
  });
  status.listen.device = [...frontDoor.addresses];
  status.status = "ok";
  return { listen: status.listen, credentials, caFile: certificates.caFile, failure, close: () => closeAll(closers, logger) };
}
