import { formatTimestamp } from "../signals/timestamp.ts";
import type { Session } from "./session.ts";
import { COUNTERS, type Counter, largest, type Tally, usageOf } from "./usage.ts";
import { freezesAtMs, judgeSession, type SessionLimits } from "./verdict.ts";

/** A session that waits too long or is frozen, and the end of that: each once. */
export interface SessionNotice {
  readonly signal: "Q_SESSION_WAITING" | "Q_SESSION_FROZEN" | "Q_SESSION_RESUMED";
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Observations of one session are this far apart, in milliseconds. */
const OBSERVED_EVERY_MS = 60_000;

/** The notices that are due for a session. Notes in the session which of them holds. */
export function noticesOf(session: Session, limits: SessionLimits, nowMs: number): SessionNotice[] {
  const { verdict, sinceMs, tool } = judgeSession(session, limits, nowMs);
  const notices: SessionNotice[] = [];
  const { notice } = session;
  if (notice !== null && (notice.verdict !== verdict || notice.since_ms !== sinceMs)) {
    const seconds = Math.round((nowMs - notice.since_ms) / 1_000);
    notices.push({
      signal: "Q_SESSION_RESUMED",
      facts: { ...named(session), was: notice.verdict, since: formatTimestamp(notice.since_ms), seconds, verdict },
    });
    session.notice = null;
  }
  if (session.notice === null && needsNotice(verdict, sinceMs, limits, nowMs)) {
    session.notice = { verdict, since_ms: sinceMs };
    const facts = { ...named(session), since: formatTimestamp(sinceMs), tool };
    notices.push({ signal: verdict === "waiting" ? "Q_SESSION_WAITING" : "Q_SESSION_FROZEN", facts });
  }
  return notices;
}

/** Whether a verdict needs a notice. */
export function needsNotice(
  verdict: string,
  sinceMs: number,
  limits: SessionLimits,
  nowMs: number,
): verdict is "waiting" | "frozen" {
  return verdict === "frozen" || (verdict === "waiting" && nowMs - sinceMs >= limits.waitingMs);
}

const named = ({ session, agent, source, model, directory, task }: Session) => ({
  session,
  agent,
  ...(model === null ? {} : { model }),
  ...(directory === null ? {} : { directory }),
  ...(task === null ? {} : { task }),
  by: source,
});

/** Takes in a notice that was emitted before: the log has it, also where the state is derived anew. */
export function takeNotice(session: Session, signal: string, facts: Readonly<Record<string, unknown>>): void {
  if (signal === "Q_SESSION_RESUMED") {
    if (session.notice !== null && facts.since === formatTimestamp(session.notice.since_ms)) session.notice = null;
    return;
  }
  const sinceMs = Date.parse(String(facts.since));
  const verdict = signal === "Q_SESSION_WAITING" ? "waiting" : "frozen";
  if (Number.isNaN(sinceMs) || session.notice !== null) return;
  // An old notice, which the session has answered since.
  const stands =
    verdict === "waiting" ? session.asks.some((ask) => ask.since_ms === sinceMs) : session.seen_ms === sinceMs;
  if (stands) session.notice = { verdict, since_ms: sinceMs };
}

/** When {@link noticesOf} or {@link observationOf} next has something; `undefined`: not by time alone. */
export function nextNoticeMs(session: Session, limits: SessionLimits): number | undefined {
  const due: number[] = [];
  if (session.notice === null) {
    const asks = session.ended_ms === null ? session.asks : [];
    for (const { since_ms } of asks) due.push(since_ms + limits.waitingMs);
    const freezes = freezesAtMs(session, limits);
    if (freezes !== undefined) due.push(freezes);
  }
  if (hasGrown(session)) due.push(session.observed.at_ms + OBSERVED_EVERY_MS);
  return due.length === 0 ? undefined : Math.min(...due);
}

/** What a session has used since its last observation, for the window and the history; `undefined`: nothing, or too soon. */
export function observationOf(session: Session, nowMs: number): Record<string, unknown> | undefined {
  if (!hasGrown(session) || nowMs - session.observed.at_ms < OBSERVED_EVERY_MS) return undefined;
  const before = session.observed.tally;
  const counted = countsOf(session);
  const grown: Tally = {};
  for (const counter of COUNTERS) {
    const by = (counted[counter] ?? 0) - (before[counter] ?? 0);
    if (by > 0) grown[counter] = by;
  }
  observedAll(session, nowMs);
  const used = Object.entries(usageOf(grown)).filter(([counter]) => grown[counter as Counter] !== undefined);
  return {
    zooid: reporterOf(session),
    session: session.session,
    agent: session.agent,
    ...Object.fromEntries(used),
    ...(session.context_share === null ? {} : { context_share: session.context_share }),
  };
}

/** Notes that observations have reported all that a session has used. */
export function observedAll(session: Session, nowMs: number): void {
  session.observed = { at_ms: nowMs, tally: countsOf(session) };
}

/** The counts of a session by everything that counted. */
export const countsOf = ({ counts }: Pick<Session, "counts">): Tally => largest(Object.values(counts));

function hasGrown(session: Session): boolean {
  const counted = countsOf(session);
  return COUNTERS.some((counter) => (counted[counter] ?? 0) > (session.observed.tally[counter] ?? 0));
}

/** The name under which a session reports: as the history has names. */
const reporterOf = ({ agent, session }: Session): string =>
  `${agent}:${session}`.replace(/[^A-Za-z0-9_.:-]/g, "-").slice(0, 64);
