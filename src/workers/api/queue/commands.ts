import { isBoundTo, notBound } from "../../../core/access/bindings.ts";
import type { Grant } from "../../../core/access/grant.ts";
import { mayRunChecks, workableRecipients } from "../../../core/access/work-rights.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import { problem } from "../../../core/problem/problem.ts";
import { CHECKS_QUEUE } from "../../../core/queue/accept.ts";
import { Refusal } from "../http/refusal.ts";

/**
 * Refuses commands for hosts that the token is not bound to. A command for anyone (`*`) could reach any host. Runs of checks
 * are put into their queue by the queues of their tasks alone.
 *
 * @throws Refusal
 */
export function mustCommand(grant: Grant, queue: string, tasks: readonly { readonly recipient: string }[]): void {
  if (queue === CHECKS_QUEUE) throw new Refusal(ONLY_QUEUES);
  if (queue !== HOSTS_QUEUE) return;
  const other = tasks.find(({ recipient }) => !isBoundTo(grant.hosts, recipient));
  if (other !== undefined) throw new Refusal(notBound("hosts", grant.hosts, other.recipient));
}

const ONLY_QUEUES = problem(
  "not-allowed",
  403,
  "Only queues put tasks into this queue",
  `The tasks of ${CHECKS_QUEUE} are runs of checks: queue a task with accept: {"check": "<name>"} in a queue of your own.`,
);

/** The recipients whose tasks the token may take and end; `undefined`: all. Runs of checks are for agents of hosts alone. */
export function workableIn(grant: Grant, queue: string): readonly string[] | undefined {
  if (queue === CHECKS_QUEUE) return mayRunChecks(grant) ? undefined : [];
  return workableRecipients(grant, queue === HOSTS_QUEUE);
}

/** The recipients whose tasks the token may read, cancel and retry; `undefined`: all. */
export const readableRecipients = (grant: Grant, queue: string) => (queue === HOSTS_QUEUE ? grant.hosts : undefined);
