import type { CompiledRule } from "./compiled-rule.ts";
import type { EvaluationContext } from "./evaluation-context.ts";
import type { SpentShare } from "./party.ts";
import type { RuleState } from "./rule-state.ts";
import type { StateRow } from "./state.ts";

/** A token or host may have so many times the share of one of its sources: another source of it has room left. */
const SENDER_SHARES = 2;

/** @returns the rows that count one more firing for the sender and source of the signal, or who has used up a share */
export function takeShare(
  compiled: CompiledRule,
  { party, nowMs }: EvaluationContext,
  state: RuleState,
  counts: "firing" | "duplicate",
): { readonly rows: readonly StateRow[] } | SpentShare {
  const { share, rule } = compiled;
  if (share === undefined || party === undefined) return { rows: [] };
  const { sender, source } = party;
  const rows: StateRow[] = [];
  for (const [key, limit] of [
    [`${counts} ${sender} ${source}`, share.n],
    [`${counts} ${sender}`, SENDER_SHARES * share.n],
  ] as const) {
    const known = state.get("share", rule.id, key);
    const window = known === undefined || nowMs >= known.untilMs ? { fired: 0, untilMs: nowMs + share.perMs } : known;
    if (window.fired >= limit) return { party, limit };
    rows.push({ kind: "share", rule: rule.id, key, body: { ...window, fired: window.fired + 1 } });
  }
  return { rows };
}

export function spentReason({ party, limit }: SpentShare, per: string): string {
  const { sender, source } = party;
  const who = `${sender}, source ${JSON.stringify(source)}`;
  return `share: the rule has fired ${limit} times in ${per} for ${who}; raise the rule's share if that is intended`;
}
