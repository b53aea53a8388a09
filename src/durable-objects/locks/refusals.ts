import { type Bindings, isBoundTo, notBound } from "../../core/access/bindings.ts";
import type { OwnerProcess } from "../../core/locks/api.ts";
import { LOCK_LIMITS, type LockLimit } from "../../core/locks/limits.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import type { AcquireAnswer, ClaimAnswer } from "./calls.ts";

/** What a request is refused with, over HTTP and over the channel. */
export interface LockRefusal {
  readonly problem: Problem;
  /** The same request may be sent again after so long. */
  readonly retryAfterMs?: number;
}

/**
 * A token that is bound to recipients locks as one of them: an owner is the name of a recipient, or begins with it and a `/`,
 * as `coder/7`. One that is bound to hosts binds locks to processes of those alone.
 *
 * @returns why it may not; `undefined`: it may
 */
export function foreignOwner(
  { recipients, hosts }: Bindings,
  owner: string | undefined,
  process?: OwnerProcess,
): Problem | undefined {
  if (owner !== undefined && !isBoundTo(recipients, owner) && !isBoundTo(recipients, owner.split("/")[0] ?? ""))
    return notBound("recipients", recipients, owner);
  return process === undefined || isBoundTo(hosts, process.host) ? undefined : notBound("hosts", hosts, process.host);
}

/** @param name - of the lock. @returns `undefined`: the answer is no refusal */
export function refusalOf(answer: AcquireAnswer | ClaimAnswer, name: string): LockRefusal | undefined {
  if ("full" in answer) return tooMany(answer.full);
  if ("notRunning" in answer) return notRunning(answer.notRunning);
  if ("lost" in answer) return WAIT_LOST;
  return "refused" in answer ? { problem: notCurrent(answer, name) } : undefined;
}

const REMEDIES: Readonly<Record<LockLimit, string>> = {
  locks: "locks are held and waited for in the ecosystem: release some, or wait until some have ended",
  patterns: "locks with wildcards are held and waited for in the ecosystem: lock single names, or release some",
  waiters: "requests wait for locks in the ecosystem: ask again later",
  tokenLocks: "locks are held with this token: release some, or give programs tokens of their own",
  tokenWaiters: "requests with this token wait for locks: ask again later",
  channels: "channels for locks are open with this token: share one among the work of a process, or ask over HTTP",
};

export const tooMany = (limit: LockLimit): LockRefusal => ({
  problem: problem("too-many-locks", 429, "Too many locks", `${LOCK_LIMITS[limit]} ${REMEDIES[limit]}.`, { limit }),
  retryAfterMs: 5_000,
});

/** A channel keeps what waits over it across the sleep of its object, and has a bounded place for that. */
export const CHANNEL_FULL: LockRefusal = {
  problem: problem(
    "channel-full",
    429,
    "Too many requests wait over this channel",
    "Ask over HTTP, over another channel, or when one of them has been answered.",
  ),
  retryAfterMs: 5_000,
};

/** Nothing of the frame was kept. */
export const NOT_WRITTEN: LockRefusal = {
  problem: problem("locks-unavailable", 503, "The locks cannot be changed now", "Send the frame again."),
  retryAfterMs: 1_000,
};

const notRunning = ({ host, process }: OwnerProcess): LockRefusal => ({
  problem: problem(
    "process-not-running",
    409,
    "The process does not run",
    `No process "${process}" is known to run on the host "${host}": its supervisor reports what runs. List the hosts: GET /v1/{eco}/agents`,
  ),
});

/** The object was restarted, and with it the order of those who wait. */
const WAIT_LOST: LockRefusal = {
  problem: problem("wait-lost", 503, "The wait ended early", "The locks were read anew. Send the request again."),
  retryAfterMs: 1_000,
};

function notCurrent(answer: Extract<ClaimAnswer, { readonly refused: string }>, name: string): Problem {
  if (answer.refused === "foreign")
    return problem(
      "other-owner",
      403,
      "The lock belongs to another token",
      `The lock "${name}" was acquired with another token: use that one, or one with the scope admin.`,
    );
  const { holder } = answer;
  const now = holder === null ? "Nobody holds it" : `${holder.owner} holds it with the fence ${holder.fence}`;
  const detail = `This holding of the lock "${name}" is over. ${now}. Stop what the lock protects, and acquire it again.`;
  return problem("lock-not-held", 409, "The fence is not the current one", detail, { holder });
}
