import { ADMINISTRATOR } from "../../../core/access/administrator.ts";
import { bindingsOf } from "../../../core/access/bindings.ts";
import type { Grant } from "../../../core/access/grant.ts";
import { parseToken } from "../../../core/access/token.ts";
import { ExpiringMap } from "../../../core/collections/expiring-map.ts";
import { hex, sha256 } from "../../../durable-objects/shell/digest.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory } from "../../bindings/objects.ts";
import { withCounts } from "../../bindings/worker-counts.ts";
import { countCheck, countFailure, refuseBlocked } from "./attempt-limits.ts";

/**
 * This isolate trusts the directory's answer about a token for this long, in milliseconds, so that a request does not
 * cost a second call of an object. A deleted token may go on working here for the same time.
 */
const REMEMBER_MS = 30_000;
const REMEMBER_TOKENS = 1_024;
/** Refused tokens that are remembered: with their keys some two megabytes. */
const REFUSED_TOKENS = 10_000;
/** A token that was valid here within this time is looked up again, however often its network fails. */
const PROVEN_MS = 3_600_000;
const PROVEN_TOKENS = 10_000;

// All by the SHA-256 of the whole token: a dump of this isolate's memory gives no access.
const remembered = new ExpiringMap<Grant>(REMEMBER_TOKENS, REMEMBER_MS);
/** A refused token never becomes valid: secrets are random, and what was deleted or has expired does not come back. */
const refused = new ExpiringMap<true>(REFUSED_TOKENS, REMEMBER_MS);
const proven = new ExpiringMap<true>(PROVEN_TOKENS, PROVEN_MS);

/**
 * Whose token a call carries. The directory is one object for the whole deployment, so it is asked only about tokens that
 * may be valid: what was made up is refused by its checksum, what was refused before by memory, and what comes too often by
 * the limits of attempt-limits.ts.
 *
 * @param address - of the caller, where the platform gives it
 * @param afresh - asks the directory even about a token that was valid a moment ago
 * @throws Refusal in the same words for every token that is not valid
 */
export async function checkToken(
  header: string | undefined,
  env: Environment,
  address: string | undefined,
  afresh: boolean,
): Promise<Grant> {
  const nowMs = Date.now();
  const [, token] = /^Bearer +(\S+) *$/i.exec(header ?? "") ?? [];
  // Without ADMIN_TOKEN the deployment is not set up: tokens from an earlier setup are not valid either.
  if (token === undefined || env.ADMIN_TOKEN === undefined || env.ADMIN_TOKEN === "")
    throw await countFailure(env, address, nowMs);
  const digest = await sha256(token);
  if (crypto.subtle.timingSafeEqual(digest, await digestOfAdmin(env.ADMIN_TOKEN))) return ADMINISTRATOR;

  const key = hex(digest);
  const known = afresh ? undefined : remembered.get(key, nowMs);
  if (known !== undefined) return known;
  remembered.delete(key);
  const parts = refused.has(key, nowMs) ? undefined : parseToken(token);
  if (parts === undefined) throw await countFailure(env, address, nowMs);
  if (!proven.has(key, nowMs)) refuseBlocked(address, nowMs);
  await countCheck(env, key);
  const secret = await sha256(parts.secret);
  const grant = await withCounts((counts) => directory(env).verify(parts.id, secret, counts));
  if (grant === null) {
    refused.set(key, true, nowMs);
    proven.delete(key);
    throw await countFailure(env, address, nowMs);
  }
  const { id, name, scopes, ecosystems, expires_at } = grant;
  const own: Grant = { id, name, scopes, ecosystems, expires_at, ...bindingsOf(grant) };
  remembered.set(key, own, nowMs);
  proven.set(key, true, nowMs);
  return own;
}

/** Stops trusting a deleted token in this isolate at once; other isolates follow within {@link REMEMBER_MS}. */
export function forgetToken(id: string): void {
  remembered.deleteWhere((grant) => grant.id === id);
}

let admin: { readonly token: string; readonly digest: ArrayBuffer } | undefined;

/** Made once in an isolate: the setting changes only with a deployment, which starts new ones. */
async function digestOfAdmin(token: string): Promise<ArrayBuffer> {
  if (admin?.token !== token) admin = { token, digest: await sha256(token) };
  return admin.digest;
}
