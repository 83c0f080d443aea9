/** Authorizers (AWS reference 2.2, custom authentication): what clients say for one, what it is asked, what it answers. */
import { createPublicKey, verify } from "node:crypto";
import type { ConnectPacket } from "@thingstead/mqtt";
import type { Authorizer } from "../../fleet/index.ts";

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

const names = { authorizer: "x-amz-customauthorizer-name", signature: "x-amz-customauthorizer-signature" } as const;

export interface Upgrade {
  target: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What the client says for the authorizer: in the user name behind a question mark, or in the upgrade of its WebSocket. */
export class AuthorizerWords {
  readonly userName: string | undefined;
  readonly #query: URLSearchParams;
  readonly #upgrade: Upgrade | undefined;

  constructor({ userName }: Pick<ConnectPacket, "userName">, upgrade: Upgrade | undefined) {
    const mark = userName?.indexOf("?") ?? -1;
    this.userName = mark < 0 ? userName : userName?.slice(0, mark);
    this.#query = new URLSearchParams(mark < 0 ? "" : userName?.slice(mark + 1));
    this.#upgrade = upgrade;
  }

  get authorizerName(): string | undefined {
    return this.get(names.authorizer);
  }

  get signature(): string | undefined {
    return this.get(names.signature);
  }

  /** A value of this name, wherever it stands. */
  get(name: string): string | undefined {
    const said = this.#query.get(name);
    if (said !== null || this.#upgrade === undefined) return said ?? undefined;
    const header = this.#upgrade.headers[name.toLowerCase()];
    const ofHeader = Array.isArray(header) ? header[0] : header;
    return ofHeader ?? new URLSearchParams(this.queryString).get(name) ?? undefined;
  }

  get queryString(): string {
    const { target } = this.#upgrade ?? { target: "" };
    const mark = target.indexOf("?");
    return mark < 0 ? "" : target.slice(mark + 1);
  }

  get headers(): Upgrade["headers"] | undefined {
    return this.#upgrade?.headers;
  }
}

/** Whether one of the authorizer's keys signed the token (RSA, SHA-256, base64). */
export function isTokenSigned({ publicKeys }: NonNullable<Authorizer["signing"]>, token: string, signature: string): boolean {
  const bytes = Buffer.from(signature, "base64");
  return Object.values(publicKeys).some((pem) => {
    try {
      return verify("RSA-SHA256", Buffer.from(token), createPublicKey(pem), bytes);
    } catch {
      // A key that is none signs nothing.
      return false;
    }
  });
}

/** What the function is given. */
export function authorizerQuestion(
  words: AuthorizerWords,
  question: { token?: string; isSigned: boolean; packet: ConnectPacket; serverName?: string; connectionId: string },
): object {
  const { token, isSigned, packet, serverName, connectionId } = question;
  const { headers } = words;
  return {
    ...(token === undefined ? {} : { token }),
    signatureVerified: isSigned,
    protocols: ["tls", ...(headers === undefined ? [] : ["http"]), "mqtt"],
    protocolData: {
      ...(serverName === undefined ? {} : { tls: { serverName } }),
      ...(headers === undefined ? {} : { http: { headers, queryString: `?${words.queryString}` } }),
      mqtt: {
        ...(packet.userName === undefined ? {} : { username: packet.userName }),
        ...(packet.password === undefined ? {} : { password: Buffer.from(packet.password).toString("base64") }),
        clientId: packet.clientId,
      },
    },
    connectionMetadata: { id: connectionId },
  };
}

export interface AuthorizerAnswer {
  isAuthenticated: boolean;
  principalId: string;
  policies: readonly { name: string; document: string }[];
  disconnectAfterSeconds?: number;
  refreshAfterSeconds?: number;
}

/** Undefined when it is no answer of an authorizer. */
export function readAuthorizerAnswer(text: string): AuthorizerAnswer | undefined {
  const answer = membersOf(parse(text));
  const { isAuthenticated, principalId, policyDocuments, disconnectAfterInSeconds, refreshAfterInSeconds } = answer;
  if (typeof isAuthenticated !== "boolean") return undefined;
  if (isAuthenticated && (typeof principalId !== "string" || !/^[a-zA-Z0-9]{1,128}$/.test(principalId))) return undefined;
  const documents: readonly unknown[] = Array.isArray(policyDocuments) ? policyDocuments : [];
  return {
    isAuthenticated,
    principalId: typeof principalId === "string" ? principalId : "",
    policies: documents.map((document, index) => ({
      name: `policyDocuments[${index}]`,
      document: typeof document === "string" ? document : JSON.stringify(document),
    })),
    ...(typeof disconnectAfterInSeconds === "number" ? { disconnectAfterSeconds: disconnectAfterInSeconds } : {}),
    ...(typeof refreshAfterInSeconds === "number" ? { refreshAfterSeconds: refreshAfterInSeconds } : {}),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
