import type { AgentSession } from "../../src/core/agent-sessions/api.ts";
import type { Tone } from "../parts/tone.ts";

type Verdict = AgentSession["verdict"];

/** Who needs somebody stands first. */
const ORDER: readonly Verdict[] = ["frozen", "waiting", "working", "idle", "ended"];

const TONES: Readonly<Record<Verdict, Tone>> = {
  frozen: "critical",
  waiting: "warning",
  working: "good",
  idle: "calm",
  ended: "calm",
};

export const toneOf = (verdict: Verdict): Tone => TONES[verdict] ?? "notice";

export const tokensOf = ({ usage }: Pick<AgentSession, "usage">): number =>
  usage.input_tokens + usage.output_tokens + usage.cache_read_tokens + usage.cache_write_tokens;

/** Sessions by how much they need somebody, of each verdict those that have it for longest. */
export function byNeed(sessions: readonly AgentSession[]): AgentSession[] {
  const rank = ({ verdict }: AgentSession) => ORDER.indexOf(verdict);
  return sessions.toSorted((a, b) => rank(a) - rank(b) || (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
}

/** How many sessions have each verdict that one has. */
export function tally(sessions: readonly AgentSession[]): (readonly [Verdict, number])[] {
  const counts = Map.groupBy(sessions, ({ verdict }) => verdict);
  return ORDER.flatMap((verdict) => {
    const found = counts.get(verdict);
    return found === undefined ? [] : [[verdict, found.length] as const];
  });
}
