/** Which AT commands the modem has, and which tests say them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandFamilies } from "../../packages/esp-at/src/index.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const espAtDocumentPath = join(root, "docs/reference/parity-esp-at.md");

/** Who is at the other end in these tests. */
const peers: Readonly<Record<string, string>> = {
  "e2e/esp-at-aws.test.ts": "mosquitto",
  "e2e/esp-at-network.test.ts": "Node's servers",
  "e2e/esp-at-doors.test.ts": "node-serialport, our server",
};
const unitTests = /^packages\/esp-at\/src\/.*\.test\.ts$/;

/** Commands of the manual that answer ERROR, by family. */
const missing: Readonly<Record<string, readonly string[]>> = {
  basic: ["+SAVETRANSLINK", "+TRANSINTVL", "+SYSMSGFILTER", "+SYSMSGFILTERCFG", "+SYSREG", "+SLEEPWKCFG", "+SYSTEMP", "+SYSROLLBACK"],
  "Wi-Fi": [
    ..."+CWCONFIG +CWSAP +CWLIF +CWQIF +CWDHCPS +CWSTAPROTO +CWAPPROTO +CWSTARTSMART +CWSTOPSMART +WPS +CWJEAP".split(" "),
    ..."+CIPAP +CIPAPMAC +CWCOUNTRY +MDNS".split(" "),
  ],
  "TCP/IP": ["+CIPSERVERMAXCONN", "+CIPSTO", "+CIPSSLCPSK", "+CIPSSLCPSKHEX", "+CIPSSLCCIPHER", "+CIPSSLSIZE", "+CIUPDATE"],
  MQTT: [],
  HTTP: [],
  others: ["+WSCFG", "+WSHEAD", "+WSOPEN", "+WSSEND", "+WSCLOSE", "+FS", "+FSMOUNT", "+USEROTA", "+BLE…", "+BT…", "+CIPETH…"],
};

interface TestFile {
  path: string;
  text: string;
}

/** The command as a host says it: `AT+CIPSEND` is not in `AT+CIPSENDEX`. */
export function says({ text }: TestFile, name: string): boolean {
  return new RegExp(`(?<![\\w+])AT${name.replace("+", "\\+")}(?![\\w+])`).test(text);
}

export function renderEspAtDocument(): string {
  const paths = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n").sort();
  const tests = paths
    .filter((path) => peers[path] !== undefined || unitTests.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  const commands = commandFamilies.flatMap(({ commands: each }) => each);
  const proved = commands.filter(({ name }) => tests.some((test) => peers[test.path] !== undefined && says(test, name)));
  const named = commands.filter(({ name }) => tests.some((test) => says(test, name)));
  const sections = commandFamilies.map(({ family, commands: each }) => {
    const rows = each.map(({ name, since, test, query, set, execute }) => {
      const forms = [test && "=?", query && "?", set && "=…", execute && "run"].filter((form) => form !== undefined).join(" ");
      const found = tests.filter((file) => says(file, name));
      const byPeer = found.flatMap(({ path }) => (peers[path] === undefined ? [] : [`${peers[path]}: ${path}`]));
      const proof = byPeer.length > 0 ? byPeer.join("; ") : (found[0]?.path ?? "–");
      return `| \`AT${name}\` | ${forms} | ${since ?? "all"} | ${proof} |`;
    });
    const lacking = missing[family] ?? [];
    const rest = lacking.length === 0 ? "" : `\nAnswered with \`ERROR\`: ${lacking.map((name) => `\`AT${name}\``).join(", ")}.\n`;
    return `## ${family}\n\n| command | forms | firmware | proof |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n${rest}`;
  });
  return `# Parity with ESP-AT

Made by \`node tools/parity/main.ts\` from the modem's own table of commands and from the tests that say them. ${commands.length} commands:
${proved.length} said in tests against a peer that is not the modem's own, ${named.length - proved.length} in unit tests only, ${commands.length - named.length} that no test says.
"firmware" is the profile that a command came with. What is simulated is told in [the package's README](../../packages/esp-at/README.md).

${sections.join("\n")}
## Others

Answered with \`ERROR\`: ${(missing.others ?? []).map((name) => `\`AT${name}\``).join(", ")}.
`;
}
