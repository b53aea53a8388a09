import type { SecretKind } from "../../../core/access/token.ts";
import { randomToken, type SecretDigest } from "../../../durable-objects/access/secret-digest.ts";
import type { Environment } from "../../bindings/environment.ts";
import { secretDigest } from "../http/check-session.ts";
import { unauthenticated } from "../http/refusal.ts";

/** A secret of random bytes, and what the directory keeps of it. */
export async function newSecret(
  env: Pick<Environment, "ADMIN_TOKEN">,
  kind: SecretKind,
): Promise<{ readonly secret: string; readonly stored: SecretDigest }> {
  const { token } = randomToken(kind);
  const stored = await secretDigest(env, token, kind);
  if (stored === undefined) throw unauthenticated();
  return { secret: token, stored };
}
