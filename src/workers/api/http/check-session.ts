import { bindingsOf } from "../../../core/access/bindings.ts";
import type { Caller } from "../../../core/access/grant.ts";
import { foreignTo, OWN_HEADER } from "../../../core/access/own-page.ts";
import { type CookiePlace, cookiePlace, readCookie } from "../../../core/access/session-cookie.ts";
import { parseToken, type SecretKind } from "../../../core/access/token.ts";
import { ExpiringMap } from "../../../core/collections/expiring-map.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { SecretDigest } from "../../../durable-objects/access/secret-digest.ts";
import { hex, sha256 } from "../../../durable-objects/shell/digest.ts";
import { isUpgrade } from "../../../durable-objects/shell/sockets.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory } from "../../bindings/objects.ts";
import { withCounts } from "../../bindings/worker-counts.ts";
import { countCheck, countFailure, refuseBlocked } from "./attempt-limits.ts";
import { Refusal } from "./refusal.ts";

/** For how long this isolate trusts the directory's answer about a session, in milliseconds; as for tokens. */
const REMEMBER_MS = 30_000;
const REMEMBER_SESSIONS = 1_024;
const REFUSED_SESSIONS = 10_000;

// By the SHA-256 of the secret: a dump of this isolate's memory gives no access.
const remembered = new ExpiringMap<Caller>(REMEMBER_SESSIONS, REMEMBER_MS);
/** A session that ended does not come back. */
const refused = new ExpiringMap<true>(REFUSED_SESSIONS, REMEMBER_MS);

/** Where this edge keeps sessions in the browser that sent a request. */
export function placeOf(request: Request): CookiePlace {
  const { protocol, host } = new URL(request.url);
  return cookiePlace(request.headers.get("host") ?? host, protocol === "https:");
}

/** The secret of the session that a request carries; `undefined`: it carries none. */
export function sessionSecret(request: Request): string | undefined {
  const header = request.headers.get("cookie");
  return header === null ? undefined : readCookie(header, placeOf(request).name);
}

/** Refuses a request that a page of another origin may have caused. */
export function refuseForeign(request: Request): void {
  const { headers, method, url, body } = request;
  const reason = foreignTo({
    method,
    upgrade: isUpgrade(request),
    host: headers.get("host") ?? new URL(url).host,
    fetchSite: headers.get("sec-fetch-site") ?? undefined,
    origin: headers.get("origin") ?? undefined,
    contentType: headers.get("content-type") ?? undefined,
    // A browser's POST without a body says so by its length, and the runtime gives it a body that is empty.
    hasBody: body !== null && headers.get("content-length") !== "0",
    own: headers.get(OWN_HEADER) ?? undefined,
  });
  if (reason === undefined) return;
  const detail =
    `The session of a browser counts only for the dashboard's own pages: ${reason}. Use the dashboard, or send ` +
    "Authorization: Bearer <token>.";
  throw new Refusal(problem("foreign-page", 403, "The request is not from the dashboard", detail));
}

/**
 * Whose session a request carries, after {@link refuseForeign}. As with tokens, the directory is asked only about what may be
 * valid.
 *
 * @param afresh - asks the directory even about a session that was valid a moment ago
 * @throws Refusal in the same words for every session that is not valid
 */
export async function checkSession(
  secret: string,
  env: Environment,
  address: string | undefined,
  afresh: boolean,
): Promise<Caller> {
  const nowMs = Date.now();
  const session = await secretDigest(env, secret, "gns");
  if (session === undefined) throw await countFailure(env, address, nowMs);
  const key = hex(session.digest);
  const known = afresh ? undefined : remembered.get(key, nowMs);
  if (known !== undefined) return known;
  remembered.delete(key);
  if (refused.has(key, nowMs)) throw await countFailure(env, address, nowMs);
  refuseBlocked(address, nowMs);
  await countCheck(env, key);
  const caller = await withCounts((counts) => directory(env).verifySession(session, counts));
  if (caller === null) {
    refused.set(key, true, nowMs);
    throw await countFailure(env, address, nowMs);
  }
  const own = ownCopy(caller);
  remembered.set(key, own, nowMs);
  return own;
}

/** What an object answered, without the properties by which the runtime frees answers. */
export function ownCopy({ id, name, scopes, ecosystems, expires_at, session, ...bound }: Caller): Caller {
  const own = { id, name, scopes, ecosystems, expires_at, ...bindingsOf(bound) };
  return session === undefined ? own : { ...own, session: { id: session.id, act: session.act } };
}

/** Stops trusting sessions in this isolate at once; other isolates follow within {@link REMEMBER_MS}. */
export function forgetSessions(ended: (caller: Caller) => boolean): void {
  remembered.deleteWhere(ended);
}

/**
 * What the directory keeps of a secret. `ADMIN_TOKEN` is part of it: a deployment whose token is replaced, or taken away, knows no
 * earlier session.
 *
 * @returns `undefined` for a text that has not the form of such a secret, and where the deployment is not set up
 */
export async function secretDigest(
  env: Pick<Environment, "ADMIN_TOKEN">,
  text: string,
  kind: SecretKind,
): Promise<SecretDigest | undefined> {
  const parts = parseToken(text, kind);
  if (parts === undefined || env.ADMIN_TOKEN === undefined || env.ADMIN_TOKEN === "") return undefined;
  return { id: parts.id, digest: await sha256(`${parts.secret}.${hex(await sha256(env.ADMIN_TOKEN))}`) };
}
