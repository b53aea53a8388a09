import type { Grant } from "./grant.ts";

/**
 * The recipients whose tasks a token may lease and end; `undefined`: all.
 *
 * Tasks of the queue of commands are done by hosts, which are its recipients. A token that is bound to hosts works for those
 * alone. Any other token may take commands only where it is an agent's, which reads and writes signals too: a worker's token
 * must not get the commands of an administrator, nor answer them in a host's name.
 *
 * @param commands - whether the queue is that of commands for hosts
 */
export function workableRecipients(grant: Grant, commands: boolean): readonly string[] | undefined {
  if (!commands) return grant.recipients;
  if (grant.hosts !== undefined) return grant.hosts;
  const agent = grant.scopes.includes("signals:read") && grant.scopes.includes("signals:write");
  return agent || grant.scopes.includes("admin") ? grant.recipients : [];
}
