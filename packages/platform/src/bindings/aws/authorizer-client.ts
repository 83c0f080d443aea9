/** Clients that an authorizer lets in: a function of the operator's, asked over HTTP. */
import type { ConnectionFacts, ConnectPacket, Refusal } from "@thingstead/mqtt";
import type { Random } from "../../clock.ts";
import { type Authorizer, drawUuid, type Fleet, findAuthorizer, findDefaultAuthorizer } from "../../fleet/index.ts";
import {
  type AuthorizerAnswer,
  AuthorizerWords,
  authorizerQuestion,
  isTokenSigned,
  readAuthorizerAnswer,
  type Upgrade,
} from "./authorizer.ts";
import { type ConnectContext, isRefusal, type Permissions, type ProofRefusal, type ProvenClient } from "./client.ts";
import type { AwsAccessLimits } from "./limits.ts";
import type { PolicyBook } from "./policies.ts";

/** Asks a web service; a failure is told as a refusal. */
export type AskWebhook = (request: { url: string; body: Uint8Array }) => Promise<{ status: number; body: string } | Refusal>;

export interface AuthorizerClientPorts {
  records: Pick<Fleet["records"], "find">;
  ask: AskWebhook;
  policyBook: PolicyBook;
  random: Random;
  limits: Pick<AwsAccessLimits, "authorizerSecondsMin" | "authorizerSecondsMax">;
}

export interface AuthorizerClients {
  /** The client names an authorizer, in its user name or in the upgrade of its WebSocket. */
  isNamed(packet: ConnectPacket, upgrade: Upgrade | undefined): boolean;
  /** Without a name: by the default authorizer. */
  prove(packet: ConnectPacket, facts: ConnectionFacts, context: ConnectContext): Promise<ProvenClient | ProofRefusal>;
}

export function createAuthorizerClients({ records, ask, policyBook, random, limits }: AuthorizerClientPorts): AuthorizerClients {
  async function find(named: string | undefined): Promise<Authorizer | Refusal> {
    const name = named ?? (await findDefaultAuthorizer(records));
    if (name === undefined) {
      return { code: "access.credentials_missing", received: "no certificate, signature or authorizer", expected: "one of them" };
    }
    const authorizer = await findAuthorizer(records, name);
    if (authorizer?.isActive === true) return authorizer;
    return { code: "access.authorizer_unknown", received: name.slice(0, 128), expected: "an authorizer that is ACTIVE" };
  }

  /** The function is not asked about a token that nobody signed. */
  function checkToken(authorizer: Authorizer, words: AuthorizerWords): { token?: string; isSigned: boolean } | Refusal {
    const { signing } = authorizer;
    if (signing === undefined) return { isSigned: false };
    const token = words.get(signing.tokenKeyName);
    const { signature } = words;
    if (token !== undefined && signature !== undefined && isTokenSigned(signing, token, signature)) return { token, isSigned: true };
    const received = token === undefined ? "no token" : signature === undefined ? "no signature" : "a signature of no key";
    return { code: "access.authorizer_token", received, expected: `${signing.tokenKeyName} signed with a key of ${authorizer.name}` };
  }

  async function authorize({ name, functionArn }: Authorizer, question: object): Promise<AuthorizerAnswer | Refusal> {
    const answered = await ask({ url: functionArn, body: Buffer.from(JSON.stringify(question)) });
    if (isRefusal(answered)) return { ...answered, code: "access.authorizer_failed" };
    const answer = answered.status === 200 ? readAuthorizerAnswer(answered.body) : undefined;
    if (answer === undefined) {
      const expected = "200 with isAuthenticated, principalId and policyDocuments";
      return { code: "access.authorizer_failed", received: `${name} answered ${answered.status}`, expected };
    }
    if (answer.isAuthenticated) return answer;
    return { code: "access.authorizer_refused", received: name, expected: "isAuthenticated" };
  }

  const bounded = (seconds: number): number => Math.min(Math.max(seconds, limits.authorizerSecondsMin), limits.authorizerSecondsMax);

  return {
    isNamed: (packet, upgrade) =>
      (upgrade !== undefined || packet.userName?.includes("x-amz-customauthorizer-") === true) &&
      new AuthorizerWords(packet, upgrade).authorizerName !== undefined,
    async prove(packet, { tls, upgrade }, context) {
      // It may be asked again as long as the client is there: what it is asked with is kept.
      const words = new AuthorizerWords(packet, upgrade);
      const connectionId = drawUuid(random);
      const serverName = tls?.serverName;

      const question = async (): Promise<{ name: string; answer: AuthorizerAnswer; permissions: Permissions } | Refusal> => {
        const authorizer = await find(words.authorizerName);
        if (isRefusal(authorizer)) return authorizer;
        const checked = checkToken(authorizer, words);
        if (isRefusal(checked)) return checked;
        const asked = { ...checked, packet, connectionId, ...(serverName === undefined ? {} : { serverName }) };
        const answer = await authorize(authorizer, authorizerQuestion(words, asked));
        if (isRefusal(answer)) return answer;
        return { name: authorizer.name, answer, permissions: { policies: policyBook.compile(answer.policies, context) } };
      };

      const first = await question();
      if (isRefusal(first)) return first;
      const { disconnectAfterSeconds, refreshAfterSeconds, principalId } = first.answer;
      return {
        principal: { kind: "authorizer", name: first.name, id: principalId },
        permissions: first.permissions,
        async look() {
          const again = await question();
          return isRefusal(again) ? again : again.permissions;
        },
        lifetimeSeconds: bounded(disconnectAfterSeconds ?? limits.authorizerSecondsMax),
        ...(refreshAfterSeconds === undefined ? {} : { refreshSeconds: bounded(refreshAfterSeconds) }),
      };
    },
  };
}
