import { isBoundTo, notBound } from "../../../core/access/bindings.ts";
import type { Grant } from "../../../core/access/grant.ts";
import type { OwnerProcess } from "../../../core/locks/api.ts";
import { LOCK_LIMITS, type LockLimit } from "../../../core/locks/limits.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { ClaimAnswer } from "../../../durable-objects/locks/calls.ts";
import { Refusal } from "../http/refusal.ts";

/**
 * A token that is bound to recipients locks as one of them: an owner is the name of a recipient, or begins with it and a `/`,
 * as `coder/7`. One that is bound to hosts binds locks to processes of those alone.
 *
 * @throws Refusal
 */
export function mayOwn({ recipients, hosts }: Grant, owner: string | undefined, process?: OwnerProcess): void {
  if (owner !== undefined && !isBoundTo(recipients, owner) && !isBoundTo(recipients, owner.split("/")[0] ?? ""))
    throw new Refusal(notBound("recipients", recipients, owner));
  if (process !== undefined && !isBoundTo(hosts, process.host))
    throw new Refusal(notBound("hosts", hosts, process.host));
}

const REMEDIES: Readonly<Record<LockLimit, string>> = {
  locks: "locks are held and waited for in the ecosystem: release some, or wait until some have ended",
  patterns: "locks with wildcards are held and waited for in the ecosystem: lock single names, or release some",
  waiters: "requests wait for locks in the ecosystem: ask again later",
  tokenLocks: "locks are held with this token: release some, or give programs tokens of their own",
  tokenWaiters: "requests with this token wait for locks: ask again later",
};

export const tooMany = (limit: LockLimit) =>
  new Refusal(
    problem("too-many-locks", 429, "Too many locks", `${LOCK_LIMITS[limit]} ${REMEDIES[limit]}.`, { limit }),
    { "Retry-After": "5" },
  );

export const notRunning = ({ host, process }: OwnerProcess) =>
  new Refusal(
    problem(
      "process-not-running",
      409,
      "The process does not run",
      `No process "${process}" is known to run on the host "${host}": its supervisor reports what runs. List the hosts: GET /v1/{eco}/agents`,
    ),
  );

/** The object was restarted, and with it the order of those who wait. */
export const waitLost = () =>
  new Refusal(problem("wait-lost", 503, "The wait ended early", "The locks were read anew. Send the request again."), {
    "Retry-After": "1",
  });

/** @param name - of the lock */
export function notCurrent(answer: Extract<ClaimAnswer, { readonly refused: string }>, name: string): Refusal {
  if (answer.refused === "foreign")
    return new Refusal(
      problem(
        "other-owner",
        403,
        "The lock belongs to another token",
        `The lock "${name}" was acquired with another token: use that one, or one with the scope admin.`,
      ),
    );
  const { holder } = answer;
  const now = holder === null ? "Nobody holds it" : `${holder.owner} holds it with the fence ${holder.fence}`;
  const detail = `This holding of the lock "${name}" is over. ${now}. Stop what the lock protects, and acquire it again.`;
  return new Refusal(problem("lock-not-held", 409, "The fence is not the current one", detail, { holder }));
}
