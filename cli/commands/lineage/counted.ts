import type { Client } from "../../../src/client/client.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import { countedSignals, countedStretch } from "../../../src/core/policy/counted-signals.ts";
import type { Decision } from "../../../src/core/policy/decision.ts";
import type { Rule } from "../../../src/core/policy/rule.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { remark } from "../../output.ts";

/** The signals behind a decision, by the decision's id, for rules that count them (`at_least`). */
export type Counted = ReadonlyMap<string, readonly Signal[]>;

/** Pages of a thousand signals that are searched for those of one decision. */
const MAX_PAGES = 10;

/** Looks up for each decision of a rule with `at_least` all the signals that it rests on. */
export async function countedBehind(
  client: Client,
  decisions: readonly Decision[],
  signals: readonly Signal[],
): Promise<Counted> {
  const counted = new Map<string, readonly Signal[]>();
  const bySeq = new Map(signals.map((signal) => [signal.seq, signal]));
  const rules = decisions.length === 0 ? [] : await rulesInForce(client);
  for (const decision of decisions) {
    const last = bySeq.get(decision.signal.seq);
    if (last === undefined || decision.by === "time" || decision.imported !== undefined) continue;
    const now = rules.find(({ id, at_least }) => id === decision.rule && at_least !== undefined);
    if (now === undefined) continue;
    const rule = now.version === decision.rule_version ? now : await versionOf(client, decision);
    const stretch = rule === undefined ? undefined : countedStretch(rule, last);
    if (rule === undefined || stretch === undefined) continue;
    counted.set(decision.id, countedSignals(rule, last, await stretchOf(client, rule, stretch.sinceMs, last.seq)));
  }
  return counted;
}

/** Without the right to read rules the chain is shown without what they counted. */
async function rulesInForce({ policy }: Client): Promise<readonly Rule[]> {
  try {
    return await policy.list();
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    remark(`what rules had counted is left out: ${error.message}`);
    return [];
  }
}

async function versionOf({ policy }: Client, { rule, rule_version }: Decision): Promise<Rule | undefined> {
  const { versions } = await policy.show(rule);
  return versions.find(({ version }) => version === rule_version)?.rule ?? undefined;
}

async function stretchOf(client: Client, { when }: Rule, sinceMs: number, lastSeq: number): Promise<Signal[]> {
  const found: Signal[] = [];
  let after: number | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const from = after === undefined ? { since: new Date(sinceMs).toISOString() } : { after };
    const { signals, next } = await client.signals({ signals: [...when], order: "asc", limit: 1_000, ...from });
    found.push(...signals);
    if (next === null || next >= lastSeq) break;
    after = next;
  }
  return found;
}
