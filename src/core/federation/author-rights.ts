import { authorise, type Grant } from "../access/grant.ts";
import type { Scope } from "../access/scopes.ts";
import { HOSTS_QUEUE } from "../hosts/command-queue.ts";
import type { RuleBody } from "../policy/api.ts";
import type { Effect } from "../policy/effect.ts";
import { effectsWithPointers } from "../policy/rule-effects.ts";
import { readQueueAddress } from "../queue/queue-address.ts";
import { isOwnSignal } from "../signals/reserved.ts";

/** What the author of a rule must be allowed in another ecosystem, for an effect that leads there. */
export interface ReachNeed {
  readonly ecosystem: string;
  readonly scope: Scope;
}

/** The signals of this name belong to the edge: whoever may not emit them there must not forward them there either. */
const forwardNeed = (ecosystem: string, signal: string | undefined): ReachNeed => ({
  ecosystem,
  scope: signal !== undefined && isOwnSignal(signal) ? "admin" : "signals:write",
});

function enqueueNeed(address: string, own: string): ReachNeed | undefined {
  const { ecosystem, queue } = readQueueAddress(address, own);
  if (ecosystem === own) return undefined;
  return { ecosystem, scope: queue === HOSTS_QUEUE ? "hosts:command" : "tasks:write" };
}

/** What the author of a rule needs elsewhere, with the JSON pointer of each effect. @param own - ecosystem of the rule */
export function needsOfRule(rule: RuleBody, own: string): [pointer: string, need: ReachNeed][] {
  return effectsWithPointers(rule).flatMap(([at, { forward, enqueue }]): [string, ReachNeed][] => {
    if (forward !== undefined) return [[`${at}/forward/ecosystem`, forwardNeed(forward.ecosystem, forward.signal)]];
    const need = enqueue === undefined ? undefined : enqueueNeed(enqueue.queue, own);
    return need === undefined ? [] : [[`${at}/enqueue/queue`, need]];
  });
}

/** What an effect needs elsewhere, now that its values are known. @returns `undefined` where it stays in its ecosystem */
export function needOfEffect(effect: Effect, own: string): ReachNeed | undefined {
  if (effect.kind === "forward") return forwardNeed(effect.ecosystem, effect.signal);
  return effect.kind === "enqueue" ? enqueueNeed(effect.queue, own) : undefined;
}

/**
 * Why the author of a rule may not reach into another ecosystem. Asked when the rule is written, and again when it fires:
 * a token may have lost its rights meanwhile.
 *
 * @param grant - of the author's token; `null`: there is no such token any more
 * @param own - ecosystem of the rule
 * @returns `undefined` where the author may
 */
export function refusedReach(grant: Grant | null, need: ReachNeed, own: string, nowMs: number): string | undefined {
  if (grant === null) return "the token of the rule's author was deleted or has expired: put the rule again";
  const { name, hosts, sources } = grant;
  if (authorise(grant, "policy:write", own, nowMs) !== "allowed")
    return `the token ${name} may not write rules in the ecosystem ${own} any more: put the rule again with one that may`;
  const { ecosystem, scope } = need;
  if (authorise(grant, scope, ecosystem, nowMs) !== "allowed")
    return `the token ${name} lacks the scope ${scope} in the ecosystem ${ecosystem}: put the rule with one that has it`;
  if (scope === "signals:write" && sources !== undefined)
    return `the token ${name} is bound to sources, and a forwarded signal has another: put the rule with one that is not`;
  if (scope === "hosts:command" && hosts !== undefined)
    return `the token ${name} is bound to hosts, and the task may be for any: put the rule with one that is not`;
  return undefined;
}
