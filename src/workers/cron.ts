import { jobsOf, splitJobs } from "../core/hosts/monitors/round-jobs.ts";
import { isCounting, planRound } from "../core/hosts/monitors/rounds.ts";
import { retentionOf } from "../durable-objects/signals/retention-settings.ts";
import type { Environment } from "./bindings/environment.ts";
import { directory } from "./bindings/objects.ts";
import { countInvocation, withCounts } from "./bindings/worker-counts.ts";
import { sendShares } from "./rounds/rounds-queue.ts";
import { carryOut } from "./rounds/run-jobs.ts";

/** Looked back for tokens that were deleted or expired: a minute that was left out does not leave their sockets open. */
const ENDED_MS = 10 * 60_000;

/**
 * The cron trigger. Asks the hosts of every ecosystem that has any, nudges projections that lag, drops what is older
 * than the retention, closes connections of deleted and expired tokens, counts what ecosystems with a budget spend, has reactions exported that
 * have ended. An ecosystem without hosts and without signals
 * costs nothing; one that fails is named in the log and does not keep the others waiting.
 *
 * More than one invocation may do is shared out over the queue `ganglion-rounds`.
 */
export async function everyMinute(env: Environment, nowMs: number): Promise<void> {
  countInvocation();
  const tokens = directory(env);
  const [ecosystems, { watched, exporting }, ended, budgeted] = await Promise.all([
    withCounts((counts) => tokens.ecosystems(counts)),
    tokens.marked(),
    tokens.ended(nowMs - ENDED_MS, nowMs),
    isCounting(nowMs) ? tokens.budgeted() : [],
  ]);
  const known = ecosystems.map(({ name, last_active_at }) => ({ name, lastActiveMs: Date.parse(last_active_at) }));
  const round = planRound(known, watched, retentionOf(env).ms, nowMs);
  const everywhere = [...new Set([...known.map(({ name }) => name), ...watched])];
  const closing = ended.map(({ id, ecosystems: named }) => ({
    token: id,
    ecosystems: named.includes("*") ? everywhere : named,
  }));
  const counting = budgeted.filter((name) => round.ask.includes(name));
  const exported = exporting.filter((name) => round.active.includes(name));
  const shares = splitJobs(jobsOf(round, closing, counting, exported));
  if (shares.length > 1) await sendShares(env.ROUNDS, shares, nowMs);
  else await carryOut(env, shares[0] ?? []);
}
