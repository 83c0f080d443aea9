/** Programs that a test drives but does not bring along. In CI a missing one is a failure; elsewhere a skip that says why. */
import { spawnSync } from "node:child_process";

export function hasProgram(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Usage: `test(name, async (context) => { needProgram(context, "mosquitto_pub"); … })`. */
export function needProgram(context: { skip(note?: string): void }, program: string): void {
  if (hasProgram(program)) return;
  if (process.env.THINGSTEAD_TEST_REQUIRE_SERVICES === "1") throw new Error(`${program} is required here and is not installed`);
  context.skip(`${program} is not installed`);
}
