/** What is measured, as data: options of the load generator (head comment of mqttload.c), the figure compared, the target. */

/**
 * `rate`: messages per second, ours divided by theirs. `cpu`: broker CPU microseconds per message (or connection), ours divided
 * by theirs. `memory`: KiB per connection. `latency`: end to end, 50th and 99th percentile.
 */
export type Figure = "rate" | "cpu" | "memory" | "latency";

/** At least this for `rate`; at most this for the others. */
export interface Target {
  mosquitto?: number;
  aedes?: number;
  /** Of our own value, whoever else is measured. */
  own?: number;
  /** 99th percentile against mosquitto's. */
  mosquittoP99?: number;
}

export interface Workload {
  key: string;
  title: string;
  figure: Figure;
  target: Target;
  options: readonly string[];
  /** Seconds; the defaults are the command line's. */
  warmUpSeconds?: number;
  measuredSeconds?: number;
  /** Who takes part; without it all three. */
  systems?: readonly ("thingstead" | "mosquitto" | "aedes")[];
  /** Ours is compared with what the others did in this other workload. */
  comparedWith?: string;
  /** Devices of the registry, imported first: the generator connects as them. */
  devices?: number;
  /** Memory is measured on a process that has done nothing else. */
  isFresh?: boolean;
}

const telemetry = ["-P", "1000", "-S", "1", "-l", "own"];
const requests = ["-P", "1000", "-q", "1", "-w", "1"];

export const workloads: readonly Workload[] = [
  {
    key: "a",
    title: "fan-in: 1,000 devices, QoS 0, 128 B, window 8, one wildcard subscriber",
    figure: "rate",
    target: { mosquitto: 6, aedes: 12 },
    options: [...telemetry, "-w", "8"],
  },
  {
    key: "a1",
    title: "the same, one message in flight per device",
    figure: "rate",
    target: { mosquitto: 1.8, aedes: 3 },
    options: [...telemetry, "-w", "1"],
  },
  {
    key: "b",
    title: "50 pairs, QoS 1, window 16",
    figure: "rate",
    target: { mosquitto: 7, aedes: 8 },
    options: ["-P", "50", "-S", "50", "-l", "pair", "-q", "1", "-w", "16"],
  },
  {
    key: "c",
    title: "fan-out 1 to 1,000, QoS 0",
    figure: "rate",
    target: { mosquitto: 5, aedes: 6 },
    options: ["-P", "1", "-S", "1000", "-l", "one", "-w", "4"],
  },
  {
    key: "d",
    title: "request and acknowledgement: 1,000 devices, QoS 1, window 1",
    figure: "rate",
    target: { mosquitto: 1.1, aedes: 2 },
    options: requests,
  },
  {
    key: "d-durable",
    title: "as d, each message owed to a persistent session that is away; theirs not durable",
    figure: "rate",
    target: { mosquitto: 0.95, aedes: 1.7 },
    options: [...requests, "-S", "1", "-l", "own", "-Z"],
    systems: ["thingstead"],
    comparedWith: "d",
  },
  {
    key: "d-devices",
    title: "as d, by devices of the registry with signatures, topic rights and device log; theirs anonymous",
    figure: "rate",
    target: {},
    options: requests,
    systems: ["thingstead"],
    comparedWith: "d",
    devices: 1_000,
  },
  {
    key: "e",
    title: "connects with user name and password",
    figure: "cpu",
    target: { mosquitto: 1.3, aedes: 0.35 },
    options: ["-C", "-u", "device", "-x", "secret"],
    warmUpSeconds: 4,
  },
  {
    key: "e-sign",
    title: "connects of 5,000 devices with HMAC signature and registry look-up; theirs as e",
    figure: "cpu",
    target: { mosquitto: 1.8 },
    options: ["-C"],
    warmUpSeconds: 4,
    systems: ["thingstead"],
    comparedWith: "e",
    devices: 5_000,
  },
  {
    key: "f",
    title: "memory per idle connection, 10,000 plain",
    figure: "memory",
    target: { own: 6, aedes: 0.45 },
    options: ["-P", "0", "-I", "10000"],
    warmUpSeconds: 8,
    isFresh: true,
  },
  {
    key: "g",
    title: "latency at 10,000 messages/s, QoS 1, 100 devices, one subscriber",
    figure: "latency",
    target: { mosquitto: 1.3, mosquittoP99: 1, aedes: 0.5 },
    options: ["-P", "100", "-S", "1", "-l", "own", "-q", "1", "-w", "64", "-r", "10000"],
    // A broker runs for months: the compiler of ours is done after some seconds, and its pauses are most of an early p99.
    warmUpSeconds: 4,
    measuredSeconds: 4,
  },
];
