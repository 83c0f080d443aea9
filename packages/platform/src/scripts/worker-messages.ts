/** Between the platform and the thread that runs scripts. */
import type { ScriptLimits } from "./limits.ts";

export type ThreadLimits = Pick<
  ScriptLimits,
  "memoryBytesMax" | "stackBytesMax" | "runMillisecondsMax" | "loadedScriptsMax" | "outputBytesMax"
>;

export interface ScriptJob {
  /** Which script; another `version` of the same key replaces it. */
  key: string;
  version: number;
  /** Left out for a script that the thread should have loaded. */
  code?: string;
  /** Absent: only loads the code. */
  run?: {
    function: string;
    /** JSON of the arguments. */
    argumentsText: string;
  };
  /** The script is not kept afterwards. */
  isOnce?: boolean;
}

export type JobOutcome =
  /** JSON of what was returned; absent for nothing. */
  | { kind: "done"; text?: string }
  | { kind: "code_needed" }
  | { kind: "function_missing" }
  | { kind: "output_too_large"; characters: number }
  | { kind: "threw"; message: string; isOverrun: boolean };
