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

/**
 * Whether a token may take runs of checks and report how they ended. Only a host's agent may, which reads and writes signals
 * too: a worker that could would judge its own work.
 */
export const mayRunChecks = ({ scopes, recipients }: Grant): boolean =>
  scopes.includes("admin") ||
  (recipients === undefined && scopes.includes("signals:read") && scopes.includes("signals:write"));

/**
 * Whether a token takes commands by the names of hosts: it is bound to none, and takes those of a host whose name belongs to
 * it, or to nobody, as it may link as that host. What belongs to another token it does not get.
 *
 * @param commands - whether the queue is that of commands for hosts
 */
export const commandedByName = (grant: Grant, commands: boolean): boolean =>
  commands && grant.hosts === undefined && !grant.scopes.includes("admin");
