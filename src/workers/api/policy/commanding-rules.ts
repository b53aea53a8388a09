import { authorise, type Grant } from "../../../core/access/grant.ts";
import { needsOfRule, refusedReach } from "../../../core/federation/author-rights.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import type { RuleBody } from "../../../core/policy/api.ts";
import { answersPeople, enqueuesInto } from "../../../core/policy/rule-effects.ts";
import { problem } from "../../../core/problem/problem.ts";
import { invalid, Refusal } from "../http/refusal.ts";

/**
 * Refuses rules that command hosts, or reach into other ecosystems, where the token could not do so itself. The recipient of
 * a rule's task is an expression, which may name any host: a token that is bound to hosts cannot make such a rule.
 *
 * @param rules - `null`: a rule that is deleted
 * @param at - JSON pointer of each rule in the request
 * @throws Refusal
 */
export function mustBeAllowed(
  grant: Grant,
  ecosystem: string,
  rules: readonly { readonly id: string; readonly rule: RuleBody | null }[],
  at: (place: number) => string = () => "",
): void {
  for (const [place, { id, rule }] of rules.entries())
    if (rule !== null) mustReach(grant, ecosystem, id, rule, at(place));
  const answering = rules.find(({ rule }) => rule !== null && answersPeople(rule));
  if (answering !== undefined) mustAnswer(grant, ecosystem, answering.id);
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

/** A rule answers anybody's questions: so must its author. */
function mustAnswer(grant: Grant, ecosystem: string, policy: string): void {
  const allowed = authorise(grant, "questions:answer", ecosystem, Date.now()) === "allowed";
  if (allowed && grant.recipients === undefined) return;
  const detail =
    `The rule "${policy}" answers questions to people. This needs the scope questions:answer, and a token that is bound to no ` +
    "recipients.";
  throw new Refusal(
    problem("no-scope", 403, "The token lacks the scope", detail, { scope: "questions:answer", policy }),
  );
}

/** The same is asked again when the rule fires. */
function mustReach(grant: Grant, ecosystem: string, id: string, rule: RuleBody, at: string): void {
  for (const [pointer, need] of needsOfRule(rule, ecosystem)) {
    if (need.ecosystem === ecosystem) {
      const message = "the signal is in this ecosystem already: emit another, or name another ecosystem";
      throw invalid("invalid-policy", "Invalid rule", [{ pointer: `${at}${pointer}`, message }]);
    }
    const refused = refusedReach(grant, need, ecosystem, Date.now());
    if (refused === undefined) continue;
    const detail = `The rule "${id}", ${pointer}: ${refused}.`;
    const { scope, ecosystem: other } = need;
    throw new Refusal(
      problem("no-scope", 403, "The token lacks a right in the other ecosystem", detail, {
        scope,
        ecosystem: other,
        policy: id,
      }),
    );
  }
}
