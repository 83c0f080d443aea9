/** What a command gets to work with. */
import type { Command } from "commander";
import { type ApiClient, createApiClient } from "./client.ts";
import type { CliIo } from "./io.ts";
import { createOutput, type Output } from "./output.ts";
import { type ConnectionOptions, findConnection } from "./settings.ts";
import type { Language, Translate } from "./texts/index.ts";

export interface CommandContext {
  io: CliIo;
  t: Translate;
  output: Output;
  /** Finds server and key first; commands that work offline never ask. */
  client(): ApiClient;
}

export interface CommandKit {
  t: Translate;
  language: Language;
  open(command: Command): CommandContext;
}

export function createCommandKit(io: CliIo, language: Language, t: Translate): CommandKit {
  return {
    t,
    language,
    open(command) {
      const options = command.optsWithGlobals<ConnectionOptions & { json?: boolean }>();
      return {
        io,
        t,
        output: createOutput(io, options.json === true),
        client: () => createApiClient(findConnection(options, io, t), io, language, t),
      };
    },
  };
}
