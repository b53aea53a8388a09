import { authorise, type Grant } from "../../../core/access/grant.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import type { RuleBody } from "../../../core/policy/api.ts";
import { enqueuesInto } from "../../../core/policy/rule-effects.ts";
import { problem } from "../../../core/problem/problem.ts";
import { Refusal } from "../http/refusal.ts";

/**
 * Refuses rules that command hosts, where the token could not do so itself. The recipient of a rule's task is an expression,
 * which may name any host: a token that is bound to hosts cannot make such a rule.
 *
 * @param rules - `null`: a rule that is deleted
 * @throws Refusal
 */
export function mustBeAllowed(
  grant: Grant,
  ecosystem: string,
  rules: readonly { readonly id: string; readonly rule: RuleBody | null }[],
): void {
  const commanding = rules.find(({ rule }) => rule !== null && enqueuesInto(rule, HOSTS_QUEUE));
  if (commanding === undefined) return;
  const allowed = authorise(grant, "hosts:command", ecosystem, Date.now()) === "allowed";
  if (allowed && grant.hosts === undefined) return;
  const detail =
    `The rule "${commanding.id}" puts tasks into the queue ${HOSTS_QUEUE}, whose tasks are commands for hosts. ` +
    "This needs the scope hosts:command, and a token that is bound to no hosts.";
  throw new Refusal(
    problem("no-scope", 403, "The token lacks the scope", detail, { scope: "hosts:command", policy: commanding.id }),
  );
}
