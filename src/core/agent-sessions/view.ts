import { formatTimestamp } from "../signals/timestamp.ts";
import type { AgentSession, AgentSessions, SessionsQuery } from "./api.ts";
import { countsOf, needsNotice } from "./notices.ts";
import type { Session } from "./session.ts";
import { addAll, largest, type Tally, usageOf } from "./usage.ts";
import { judgeSession, type SessionLimits, sessionInWords } from "./verdict.ts";

export function viewOf(session: Session, limits: SessionLimits, nowMs: number): AgentSession {
  const judgement = judgeSession(session, limits, nowMs);
  const { verdict, sinceMs, tool } = judgement;
  const { model, version, directory, task, context_tokens, context_share, agent, source } = session;
  return {
    session: session.session,
    agent,
    source,
    verdict,
    since: formatTimestamp(sinceMs),
    in_words: sessionInWords(judgement, nowMs),
    tool,
    notified: session.notice?.verdict === verdict,
    model,
    version,
    directory,
    task,
    started_at: formatTimestamp(session.started_ms),
    last_seen_at: formatTimestamp(session.seen_ms),
    ended_at: session.ended_ms === null ? null : formatTimestamp(session.ended_ms),
    usage: usageOf(countsOf(session)),
    context_tokens,
    context_share,
    chains: session.chains.map(({ chain, counts }) => ({ chain, usage: usageOf(countsOf({ counts })) })),
  };
}

/** Most sessions that one document names. */
const MAX_IN_NEED = 100;

/** The sessions that wait too long for a person, or are frozen. */
export function sessionsInNeed(all: Iterable<Session>, limits: SessionLimits, nowMs: number): AgentSession[] {
  const found: AgentSession[] = [];
  for (const session of all) {
    const { verdict, sinceMs } = judgeSession(session, limits, nowMs);
    if (found.length < MAX_IN_NEED && needsNotice(verdict, sinceMs, limits, nowMs))
      found.push(viewOf(session, limits, nowMs));
  }
  return found;
}

/** The sessions that a query means. */
export function sessionsOf(
  all: Iterable<Session>,
  query: SessionsQuery,
  limits: SessionLimits,
  nowMs: number,
): AgentSessions {
  const { agent, session, verdict, chain, limit } = query;
  const used: Tally = {};
  const found: Session[] = [];
  for (const one of all) {
    if (agent !== undefined && one.agent !== agent) continue;
    if (session !== undefined && one.session !== session) continue;
    const ofChain = one.chains.find((each) => each.chain === chain);
    if (chain !== undefined && ofChain === undefined) continue;
    if (verdict !== undefined && judgeSession(one, limits, nowMs).verdict !== verdict) continue;
    found.push(one);
    addAll(used, largest(Object.values((ofChain ?? one).counts)));
  }
  found.sort((a, b) => b.seen_ms - a.seen_ms);
  return {
    sessions: found.slice(0, limit).map((one) => viewOf(one, limits, nowMs)),
    total: found.length,
    usage: usageOf(used),
  };
}
