import { isBoundTo, notBound } from "../../../core/access/bindings.ts";
import type { Grant } from "../../../core/access/grant.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import { Refusal } from "../http/refusal.ts";

/**
 * Refuses commands for hosts that the token is not bound to. A command for anyone (`*`) could reach any host.
 *
 * @throws Refusal
 */
export function mustCommand(grant: Grant, queue: string, tasks: readonly { readonly recipient: string }[]): void {
  if (queue !== HOSTS_QUEUE) return;
  const other = tasks.find(({ recipient }) => !isBoundTo(grant.hosts, recipient));
  if (other !== undefined) throw new Refusal(notBound("hosts", grant.hosts, other.recipient));
}

/** The recipients whose tasks the token may read, cancel and retry; `undefined`: all. */
export const readableRecipients = (grant: Grant, queue: string) => (queue === HOSTS_QUEUE ? grant.hosts : undefined);
