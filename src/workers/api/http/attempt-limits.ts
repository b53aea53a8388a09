import { callerNetwork } from "../../../core/access/caller-address.ts";
import { ExpiringMap } from "../../../core/collections/expiring-map.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { Environment } from "../../bindings/environment.ts";
import { Refusal, unauthenticated } from "./refusal.ts";

/** For how long unknown tokens of a network with too many failures are refused here without a look-up, in milliseconds. */
const BLOCK_MS = 10_000;
const MAX_BLOCKED = 10_000;

/** Networks that failed too often. */
const blocked = new ExpiringMap<true>(MAX_BLOCKED, BLOCK_MS);

type Limits = Pick<Environment, "FAILED_CALLERS" | "TOKEN_CHECKS">;

/**
 * Refuses a token of which this isolate knows nothing, where its caller's network has failed too often. Tokens that were
 * valid here are never asked about, so that hosts behind one address do not suffer from one of them.
 */
export function refuseBlocked(address: string | undefined, nowMs: number): void {
  if (address !== undefined && blocked.has(callerNetwork(address), nowMs)) throw tooMany(FAILED, BLOCK_MS);
}

/** Counts a look-up of one token in the directory, by the digest of the token: nobody else can use up its share. */
export async function countCheck(env: Limits, digest: string): Promise<void> {
  if (env.TOKEN_CHECKS === undefined) return;
  const { success } = await env.TOKEN_CHECKS.limit({ key: digest });
  if (!success) throw tooMany(CHECKED, BLOCK_MS);
}

/**
 * Counts a failure of the caller's network.
 *
 * @param address - `undefined` on one machine, where nobody can say who calls through a proxy: nothing is counted
 * @returns why the call ends
 */
export async function countFailure(env: Limits, address: string | undefined, nowMs: number): Promise<Refusal> {
  if (env.FAILED_CALLERS === undefined || address === undefined) return unauthenticated();
  const network = callerNetwork(address);
  const { success } = await env.FAILED_CALLERS.limit({ key: network });
  if (success) return unauthenticated();
  blocked.set(network, true, nowMs);
  return tooMany(FAILED, BLOCK_MS);
}

const FAILED =
  "Too many calls from this network came without a valid token. Check the token, and try again after the time in Retry-After.";
const CHECKED =
  "This token opens more connections than the edge checks. Wait between two tries, or give each host a token of its own.";

const tooMany = (detail: string, retryAfterMs: number) =>
  new Refusal(problem("too-many-attempts", 429, "Too many attempts", detail, { retry_after_ms: retryAfterMs }), {
    "Retry-After": String(Math.ceil(retryAfterMs / 1_000)),
  });
