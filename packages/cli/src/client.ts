/** Calls of the server's REST API. */
import { CliError } from "./cli-error.ts";
import type { HttpAnswer, HttpRequest } from "./http.ts";
import type { CliIo } from "./io.ts";
import type { ConnectionSettings } from "./settings.ts";
import type { Language, Translate } from "./texts/index.ts";

interface CallOptions {
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  body?: object;
  /** Bytes instead of JSON; their type and length are in `headers`. */
  stream?: AsyncIterable<Uint8Array>;
  accept?: string;
  headers?: Readonly<Record<string, string>>;
  /** Paths outside /api/v1 that need no key. */
  isPublic?: boolean;
}

export interface ApiClient {
  /** The answer as JSON; `null` where there is none. */
  call<T>(method: HttpRequest["method"], path: string, options?: CallOptions): Promise<T>;
  /** The answer as it came. */
  open(method: HttpRequest["method"], path: string, options?: CallOptions): Promise<HttpAnswer>;
}

/** A path of escaped parts: `path("products", productKey)`. */
export function path(...parts: (string | number)[]): string {
  return `/api/v1/${parts.map((part) => encodeURIComponent(part)).join("/")}`;
}

export function createApiClient(settings: ConnectionSettings, io: Pick<CliIo, "http">, language: Language, t: Translate): ApiClient {
  async function open(method: HttpRequest["method"], path: string, options: CallOptions = {}): Promise<HttpAnswer> {
    if (settings.key === undefined && options.isPublic !== true) throw new CliError("cli.key_missing", t("error.keyMissing"), 2);
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {})) if (value !== undefined) query.set(name, String(value));
    const url = `${settings.server}${path}${query.size > 0 ? `?${query}` : ""}`;
    const headers: Record<string, string> = {
      accept: options.accept ?? "application/json",
      "accept-language": language === "zh" ? "zh-CN,zh;q=0.9,en;q=0.5" : "en",
      ...(settings.key === undefined || options.isPublic ? {} : { authorization: `Bearer ${settings.key}` }),
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers,
    };
    let answer: HttpAnswer;
    try {
      answer = await io.http({
        method,
        url,
        headers,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        ...(options.stream === undefined ? {} : { stream: options.stream }),
      });
    } catch (error) {
      throw new CliError("cli.server_unreachable", t("error.serverUnreachable", { server: settings.server, reason: reasonOf(error) }));
    }
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw await toCliError(answer, t);
  }

  return {
    open,
    async call<T>(method: HttpRequest["method"], path: string, options?: CallOptions): Promise<T> {
      const text = await (await open(method, path, options)).text();
      if (text === "") return null as T;
      try {
        return JSON.parse(text) as T;
      } catch {
        throw new CliError("cli.answer_unreadable", t("error.answerUnreadable", { server: settings.server }));
      }
    },
  };
}

async function toCliError(answer: HttpAnswer, t: Translate): Promise<CliError> {
  const text = await answer.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return new CliError(String(error.code), String(error.message));
  } catch {
    return new CliError("cli.answer_unexpected", t("error.answerUnexpected", { status: answer.status }));
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}
