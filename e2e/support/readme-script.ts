/** The commands of the README's first message, as printed there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./server-process.ts";

/** Ports and paths of a server under test take the place of the printed defaults; nothing else is changed. */
export function readmeFirstMessage(server: { devicePort: number; caFile: string }): string {
  const readme = readFileSync(join(repository, "README.md"), "utf8");
  const script = /<!-- first-message[^>]*-->\n```sh\n([\s\S]*?)```/.exec(readme)?.[1];
  if (script === undefined) throw new Error("README.md has no first-message block");
  return `set -e\n${script}`
    .replace("--port 1883", `--port ${server.devicePort}`)
    .replace("--preauth-port 8443", `--preauth-port ${server.devicePort}`)
    .replace("data/ca.crt", server.caFile);
}
