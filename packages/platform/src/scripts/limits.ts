export interface ScriptLimits {
  codeBytesMax: number;
  /** Of one message given to a script. */
  inputBytesMax: number;
  /** Of the text that a script returns. */
  outputBytesMax: number;
  /** Memory of one product's script. */
  memoryBytesMax: number;
  stackBytesMax: number;
  /** After this time a run is interrupted. */
  runMillisecondsMax: number;
  /** So long after that a thread that did not come back is ended. */
  killGraceMilliseconds: number;
  /** Products whose scripts stay loaded. */
  loadedScriptsMax: number;
  /** Products whose code is remembered. */
  rememberedScriptsMax: number;
  pendingRunsMax: number;
  pendingRunsPerProductMax: number;
  /** So many runs of a product that took too long, one after the other, suspend its script … */
  overrunsBeforeSuspension: number;
  /** … for this time: a runaway script must not slow down the others. */
  suspensionSeconds: number;
  /** A thread without work is ended. */
  idleSeconds: number;
}

/** The vendor's: 128 KB of code, messages of 256 KB (alibaba-device.md, 5.7 and 3). */
export const defaultScriptLimits: ScriptLimits = {
  codeBytesMax: 128 * 1024,
  inputBytesMax: 256 * 1024,
  outputBytesMax: 1024 * 1024,
  memoryBytesMax: 16 * 1024 * 1024,
  stackBytesMax: 256 * 1024,
  runMillisecondsMax: 500,
  killGraceMilliseconds: 2_000,
  loadedScriptsMax: 16,
  rememberedScriptsMax: 1_000,
  pendingRunsMax: 2_000,
  pendingRunsPerProductMax: 200,
  overrunsBeforeSuspension: 3,
  suspensionSeconds: 10,
  idleSeconds: 300,
};
