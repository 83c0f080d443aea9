/** The README's commands and programs, as printed there. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repository } from "./server-process.ts";

interface Place {
  devicePort: number;
  caFile: string;
}

function readmeBlock(name: string): string {
  const readme = readFileSync(join(repository, "README.md"), "utf8");
  const block = new RegExp(`<!-- ${name}:[^>]*-->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (block === undefined) throw new Error(`README.md has no block ${name}`);
  return block;
}

/** Ports and paths of a server under test take the place of the printed defaults; nothing else is changed. */
function atServer(script: string, server: Place): string {
  return `set -e\n${script}`
    .replace("--port 1883", `--port ${server.devicePort}`)
    .replace("--preauth-port 8443", `--preauth-port ${server.devicePort}`)
    .replace("127.0.0.1:8883", `127.0.0.1:${server.devicePort}`)
    .replaceAll("data/esp32", `${dirname(server.caFile)}/esp32`)
    .replace("data/ca.crt", server.caFile);
}

export const readmeFirstMessage = (server: Place): string => atServer(readmeBlock("first-message"), server);
export const readmeThings = (server: Place): string => atServer(readmeBlock("things"), server);
export const readmeAws = (server: Place): string => atServer(readmeBlock("aws"), server);
export const readmeVendorProgram = (server: { httpPort: number }): string =>
  readmeBlock("vendor-sdk").replace("127.0.0.1:8080", `127.0.0.1:${server.httpPort}`);
