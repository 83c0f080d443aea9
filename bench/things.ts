/**
 * Property posts, checked against a thing model, stored with history and answered, beside plain request and acknowledgement in the
 * same run: `npm run bench:things`. The server is alone on one core, the load on the other. Needs Linux, two cores and cc.
 *
 * Options: --rounds N (default 3)  --devices N (default 1,000)
 */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { restClient } from "../e2e/support/rest-client.ts";
import { buildGenerator, type LoadResult, runLoad } from "./load.ts";
import { describeMachine } from "./report.ts";
import { type RunningSystem, startSystem } from "./systems.ts";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, devices: { type: "string", default: "1000" } },
});
const rounds = Number(options.rounds);
const devices = Number(options.devices);
const seconds = { warmUp: 2, measured: 3 };
const targets = { ratio: 0.2, replyMillisecondsP99: 25 };

const properties = ["Temperature", "Humidity", "Pressure"];
const model = {
  schema: "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
  profile: {},
  properties: properties.map((identifier) => ({
    identifier,
    name: identifier,
    accessMode: "r",
    required: false,
    dataType: { type: "double", specs: { min: "-50", max: "2000", step: "0.01" } },
  })),
  events: [],
  services: [],
};
/** `#` becomes ten digits that differ with every post. */
const post =
  '{"id":"#","version":"1.0","params":{"Temperature":21.5,"Humidity":0.#,"Pressure":1013.#},"method":"thing.event.property.post"}';

const folder = mkdtempSync(join(tmpdir(), "thingstead-bench-things-"));

/** A product with a published model and its devices; each connects so that answers come without a subscription. */
async function createDevices({ rest }: RunningSystem): Promise<string> {
  if (rest === undefined) throw new Error("devices need the whole server");
  const call = restClient(rest);
  const expectStatus = async (status: number, method: string, path: string, body?: unknown) => {
    const answer = await call(method, path, body);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const { productKey } = await expectStatus(201, "POST", "/products", { name: "bench things" });
  await expectStatus(204, "PUT", `/products/${productKey}/thing-model`, model);
  await expectStatus(201, "POST", `/products/${productKey}/thing-model/publish`, {});
  await expectStatus(200, "PUT", `/products/${productKey}/thing-model/validation-level`, { level: "strong" });
  const { items } = await expectStatus(201, "POST", `/products/${productKey}/device-batches`, { count: devices });
  const lines = items.map(({ deviceName, deviceSecret }: { deviceName: string; deviceSecret: string }) => {
    const signed = `clientId${deviceName}deviceName${deviceName}productKey${productKey}timestamp1700000000000`;
    const password = createHmac("sha256", deviceSecret).update(signed).digest("hex");
    const clientId = `${deviceName}|securemode=3,signmethod=hmacsha256,timestamp=1700000000000,_ss=1|`;
    return [clientId, `${deviceName}&${productKey}`, password, `/sys/${productKey}/${deviceName}/thing/event/property/post`].join("\t");
  });
  const file = join(folder, "devices.tsv");
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

function measure(system: RunningSystem, more: string[]): Promise<LoadResult> {
  const load = ["-P", String(devices), "-q", "1", "-w", "1", ...more];
  return runLoad(system, { key: "things", title: "", figure: "rate", target: {}, options: load }, seconds);
}

function checkClean(name: string, { missing, bad, lost_conns }: LoadResult): void {
  if (missing > 0 || bad > 0 || lost_conns > 0)
    console.log(`${name}: NOT CLEAN: ${missing} answers missing, ${bad} answers that are no success, ${lost_conns} connections lost`);
}

const median = (values: number[]) => values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;

buildGenerator();
console.log(describeMachine().join("\n"));
const system = await startSystem("thingstead", { isBare: false });
try {
  const file = await createDevices(system);
  const identified = ["-a", file, "-k", "300"];
  const plain: LoadResult[] = [];
  const posts: LoadResult[] = [];
  for (let round = 1; round <= rounds; round++) {
    const acknowledged = await measure(system, []);
    plain.push(acknowledged);
    console.log(
      `round ${round}: request and acknowledgement ${acknowledged.acked_s}/s, ${acknowledged.broker_cpu_us_per_msg.toFixed(1)} us CPU each`,
    );
    const posted = await measure(system, [...identified, "-j", post]);
    checkClean("posts", posted);
    posts.push(posted);
    const ratio = posted.delivered_s / acknowledged.acked_s;
    console.log(
      `round ${round}: property posts ${posted.delivered_s}/s (${properties.length} values each), ${posted.broker_cpu_us_per_msg.toFixed(1)} us CPU each, answered in ${(posted.e2e_us.p50 / 1000).toFixed(1)} ms (p50), ${(posted.e2e_us.p99 / 1000).toFixed(1)} ms (p99); ratio ${ratio.toFixed(2)}`,
    );
  }
  const rate = median(plain.map(({ acked_s }) => acked_s));
  const ratio = median(posts.map(({ delivered_s }, index) => delivered_s / (plain[index]?.acked_s ?? Number.NaN)));
  const half = (rate * targets.ratio) / 2;
  const paced = await measure(system, [...identified, "-j", post, "-r", String(Math.round(half))]);
  checkClean("paced posts", paced);
  const p99 = paced.e2e_us.p99 / 1000;
  console.log(`ratio ${ratio.toFixed(2)} (target >= ${targets.ratio})`);
  console.log(
    `at ${Math.round(half)} posts/s: answered in ${(paced.e2e_us.p50 / 1000).toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99; target < ${targets.replyMillisecondsP99})`,
  );
} finally {
  await system.stop();
  rmSync(folder, { recursive: true, force: true });
}
