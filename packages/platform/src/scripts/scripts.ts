/**
 * Users' JavaScript that turns a product's own bytes into the platform's messages and back (alibaba-device.md, 4.2 and
 * 5.7). It runs in a sandbox in a thread of its own, with limits on time, memory and output.
 */

export interface ProductScript {
  code: string;
  modifiedAt: number;
}

/** Codes of alibaba-device.md, 5.11. */
export type ScriptFailureCode =
  /** No script. */
  | 26001
  /** It threw, ran too long or used too much memory. */
  | 26002
  /** The function is not there. */
  | 26006
  /** What it returned is of no use. */
  | 26007
  /** Too many runs wait already. */
  | 26010;

export interface ScriptFailure {
  kind: "failed";
  code: ScriptFailureCode;
  message: string;
}

export type ScriptResult<T> = { kind: "done"; value: T } | ScriptFailure;

/** Nothing here throws for what a script does. */
export interface Scripts {
  find(productKey: string): Promise<ProductScript | undefined>;
  /** Throws `scripts.too_large`, `scripts.syntax_invalid` with line and text, `registry.product_not_found`. */
  save(productKey: string, code: string): Promise<ProductScript>;
  delete(productKey: string): Promise<void>;
  /** `rawDataToProtocol(bytes)`: a message of a device as an Alink object. */
  rawDataToProtocol(productKey: string, payload: Uint8Array): Promise<ScriptResult<Record<string, unknown>>>;
  /** `protocolToRawData(object)`: an Alink message as the device's bytes. */
  protocolToRawData(productKey: string, message: Record<string, unknown>): Promise<ScriptResult<Uint8Array>>;
  /** `transformPayload(topic, bytes)`: a message on a custom topic with `?_sn=default` as JSON. */
  transformPayload(productKey: string, topic: string, payload: Uint8Array): Promise<ScriptResult<Record<string, unknown>>>;
  /** The same functions of a script that is not saved: what a person tries. */
  test(code: string, run: ScriptTest): Promise<ScriptResult<unknown> & { milliseconds: number }>;
  close(): Promise<void>;
}

export type ScriptTest =
  | { function: "rawDataToProtocol"; payload: Uint8Array }
  | { function: "protocolToRawData"; message: Record<string, unknown> }
  | { function: "transformPayload"; topic: string; payload: Uint8Array };
