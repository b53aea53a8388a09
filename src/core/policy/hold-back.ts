import { formatTimestamp } from "../signals/timestamp.ts";
import type { RuleState } from "./rule-state.ts";
import { COOLDOWN_KEY, type StateMutation, type StateRow } from "./state.ts";
import type { HeldMark } from "./state-import.ts";

/** What became of imported marks. */
export interface HeldBack {
  /** Those that hold the rule back from now on. */
  readonly kept: readonly HeldMark[];
  /** Those that were imported before, or hold the rule back no longer than it is. */
  readonly unchanged: readonly HeldMark[];
  /** Those for which there is no room: another would give way for them. */
  readonly refused: readonly HeldMark[];
  readonly mutations: readonly StateMutation[];
}

/**
 * Puts marks of an older system into the state of a rule. They make the rule more reluctant and never less: no mark
 * shortens one that is there, and none takes the place of another. A mark counts once until it ends: work in flight that
 * has ended meanwhile does not begin again when its mark is imported a second time.
 *
 * @param by - who imports them
 */
export function holdBack(state: RuleState, rule: string, marks: readonly HeldMark[], by: string): HeldBack {
  const kept: HeldMark[] = [];
  const unchanged: HeldMark[] = [];
  const refused: HeldMark[] = [];
  for (const mark of marks) {
    const row = rowOf(rule, mark, by);
    const imported = `${row.kind} ${row.key}`;
    const { untilMs } = row.body;
    const before = state.get("imported", rule, imported)?.untilMs ?? 0;
    const isKnown = before >= untilMs || (state.get(row.kind, rule, row.key)?.untilMs ?? 0) >= untilMs;
    if (!isKnown && !state.hasRoom(row)) {
      refused.push(mark);
      continue;
    }
    if (!isKnown) state.set(row);
    state.set({ kind: "imported", rule, key: imported, body: { untilMs: Math.max(before, untilMs) } });
    (isKnown ? unchanged : kept).push(mark);
  }
  return { kept, unchanged, refused, mutations: state.takeMutations() };
}

type HoldingRow = Extract<StateRow, { kind: "flight" | "once" }>;

function rowOf(rule: string, { kind, key = "", sinceMs, untilMs }: HeldMark, by: string): HoldingRow {
  const words = `${formatTimestamp(sinceMs)} (imported by ${by})`;
  if (kind === "in_flight") return { kind: "flight", rule, key, body: { startedBy: words, untilMs } };
  return { kind: "once", rule, key: kind === "cooldown" ? COOLDOWN_KEY : `=${key}`, body: { by: words, untilMs } };
}
