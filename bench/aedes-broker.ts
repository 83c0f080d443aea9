/** aedes as its readme starts it, without Nagle's delay: for the benchmark. Usage: node bench/aedes-broker.ts port */
import { createServer } from "node:net";
import { Aedes } from "aedes";

const listenBacklog = 4096;

const broker = await Aedes.createBroker({ concurrency: 10_000 });
createServer({ noDelay: true }, broker.handle).listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: listenBacklog });
