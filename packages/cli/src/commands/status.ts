import type { Command } from "commander";
import type { CommandKit } from "../context.ts";

interface HealthAnswer {
  status: string;
  version: string;
  listen: Record<string, string[]>;
}

export function addStatusCommand(program: Command, { t, open }: CommandKit): void {
  program
    .command("status")
    .description(t("status.about"))
    .action(async (_options: object, command: Command) => {
      const { client, output } = open(command);
      const health = await client().call<HealthAnswer>("GET", "/healthz", { isPublic: true });
      if (output.isJson) return output.json(health);
      output.facts([
        [t("head.status"), health.status],
        [t("head.version"), health.version],
        ...Object.entries(health.listen).map(([name, addresses]) => [name, addresses.join(", ")] as const),
      ]);
    });
}
