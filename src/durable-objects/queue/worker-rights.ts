import { isBoundTo, notBound } from "../../core/access/bindings.ts";
import { HOSTS_QUEUE } from "../../core/hosts/command-queue.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import { CHECKS_QUEUE } from "../../core/queue/accept.ts";
import { ANYONE } from "../../core/queue/task.ts";

/**
 * Whether a token may lease and end tasks for a recipient. A task for anyone is also one for each of the token's recipients.
 *
 * @param recipients - that the token is bound to; `undefined`: all
 */
export function worksFor(recipients: readonly string[] | undefined, recipient: string): boolean {
  if (recipient === ANYONE && recipients !== undefined) return recipients.length > 0;
  return isBoundTo(recipients, recipient);
}

/** Refuses a recipient whose tasks a token may not touch. The recipients of commands are hosts. */
export function refusedRecipient(queue: string, recipients: readonly string[] | undefined, recipient: string): Problem {
  if (queue === CHECKS_QUEUE && recipients?.length === 0) return NO_AGENT;
  if (queue !== HOSTS_QUEUE) return notBound("recipients", recipients, recipient);
  return recipients?.length === 0 ? NO_HOST : notBound("hosts", recipients, recipient);
}

/** Why a channel may not take tasks as it says: of a recipient, or on a host, that its token is not bound to. */
export function refusedReady(
  queue: string,
  {
    recipients,
    ownHosts,
  }: { readonly recipients: readonly string[] | undefined; readonly ownHosts: readonly string[] | undefined },
  { recipient, host }: { readonly recipient: string; readonly host?: string | undefined },
): Problem | undefined {
  if (!worksFor(recipients, recipient)) return refusedRecipient(queue, recipients, recipient);
  return host === undefined || isBoundTo(ownHosts, host) ? undefined : notBound("hosts", ownHosts, host);
}

/** Refuses the commands of a host whose name another token has. */
export const hostOfAnother = (host: string): Problem =>
  problem(
    "not-bound",
    403,
    "The host belongs to another token",
    `The name ${host.slice(0, 64)} belongs to the token that linked first as this host, and its commands to that token. Use ` +
      "that token, bind this one to the host (hosts), or have an administrator release the name.",
    { binding: "hosts" },
  );

/** Refuses runs of checks to whom they would judge. */
export const NO_AGENT = problem(
  "not-bound",
  403,
  "The token is no host's",
  "Only agents of hosts run checks: use a token with signals:read and signals:write that is bound to no recipients.",
  { binding: "recipients" },
);

export const NO_HOST = problem(
  "not-bound",
  403,
  "The token is bound to no host",
  "Only a host takes commands: use a token that is bound to the host (hosts), or an agent's, with signals:read and " +
    "signals:write.",
  { binding: "hosts" },
);
