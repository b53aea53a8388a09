import { isBoundTo, notBound } from "../../core/access/bindings.ts";
import type { Problem } from "../../core/problem/problem.ts";
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

export const refusedRecipient = (recipients: readonly string[] | undefined, recipient: string): Problem =>
  notBound("recipients", recipients, recipient);
