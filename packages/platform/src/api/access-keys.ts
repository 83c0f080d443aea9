/** Access keys of programs: one root key, for our REST API and the vendors' APIs alike. */
import { createHash, timingSafeEqual } from "node:crypto";

export interface AccessKey {
  id: string;
  secret: string;
}

export interface AccessKeys {
  /** Constant-time: tells nothing about how much of the id or the secret was right. */
  verifyBearer(keyId: string, secret: string): boolean;
  /** The secret to check a vendor's request signature with; undefined = no such key. */
  findSecret(keyId: string): string | undefined;
}

export function createAccessKeys({ rootKey }: { rootKey: AccessKey }): AccessKeys {
  const rootId = digest(rootKey.id);
  const rootSecret = digest(rootKey.secret);
  return {
    verifyBearer(keyId, secret) {
      // Both compares always run: a wrong id must take as long as a wrong secret.
      const isId = timingSafeEqual(digest(keyId), rootId);
      const isSecret = timingSafeEqual(digest(secret), rootSecret);
      return isId && isSecret;
    },
    findSecret: (keyId) => (timingSafeEqual(digest(keyId), rootId) ? rootKey.secret : undefined),
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
