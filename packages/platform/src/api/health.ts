/** What `GET /healthz` answers; whoever wires the server keeps it true. */
export interface HealthStatus {
  /** Anything but `ok` is answered with 503. */
  status: "ok" | "starting" | "draining";
  version: string;
  /** Bound addresses, `host:port`. */
  listen: { device: string[]; http: string[]; amqp: string[] };
}
