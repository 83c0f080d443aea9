/** AT+CMD?: which commands there are, and in which forms. [ESP-AT 3] */
import { type CommandDefinition, hasForm } from "../command.ts";
import { commandForms } from "../line/command-line.ts";

export const listCommands: readonly CommandDefinition[] = [
  {
    name: "+CMD",
    query({ modem }) {
      for (const [index, command] of modem.commands.entries()) {
        const forms = commandForms.map((form) => (hasForm(command, form) ? 1 : 0));
        modem.output.line(`+CMD:${index},"AT${command.name}",${forms.join(",")}`);
      }
    },
  },
];
