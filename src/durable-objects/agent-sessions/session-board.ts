import type { AgentSession, AgentSessions, SessionsQuery } from "../../core/agent-sessions/api.ts";
import { isSessionNotice } from "../../core/agent-sessions/board-signals.ts";
import { limitUseOf } from "../../core/agent-sessions/feed.ts";
import { nextNoticeMs, noticesOf, observationOf, observedAll, takeNotice } from "../../core/agent-sessions/notices.ts";
import { toForget } from "../../core/agent-sessions/room.ts";
import type { Session } from "../../core/agent-sessions/session.ts";
import type { Feed } from "../../core/agent-sessions/settings.ts";
import { sessionKey, takeSignal } from "../../core/agent-sessions/take-signal.ts";
import type { SessionLimits } from "../../core/agent-sessions/verdict.ts";
import { sessionsInNeed, sessionsOf } from "../../core/agent-sessions/view.ts";
import type { Signal } from "../../core/signals/signal.ts";
import type { Decisions, SignalDecisions } from "../shell/decisions.ts";
import type { ProjectedState } from "../shell/projected-state.ts";
import type { SessionStore } from "./session-store.ts";

const SOURCE = "ganglion/sessions";

export interface SessionBoardOptions {
  readonly store: SessionStore;
  readonly limits: () => SessionLimits;
  readonly feeds: () => readonly Feed[];
  readonly wakeBy: (atMs: number) => void;
  readonly decide: (change: (decisions: Decisions) => void) => void;
}

/**
 * The sessions of agents, as their signals report them. Tells once that a session waits too long for a person or is frozen,
 * and once that it goes on; and once a minute, by an observation, what each has used.
 */
export class SessionBoard implements ProjectedState {
  readonly #options: SessionBoardOptions;
  #sessions = new Map<string, Session>();
  readonly #changed = new Set<string>();
  /** When the next notice or observation of a session is due by time alone. */
  readonly #due = new Map<string, number>();

  constructor(options: SessionBoardOptions) {
    this.#options = options;
    this.load();
  }

  sessions(query: SessionsQuery, nowMs: number): AgentSessions {
    return sessionsOf(this.#sessions.values(), query, this.#options.limits(), nowMs);
  }

  /** Those that wait too long for a person, or are frozen. */
  inNeed(nowMs: number): AgentSession[] {
    return sessionsInNeed(this.#sessions.values(), this.#options.limits(), nowMs);
  }

  /** The limits are others from now on: what is due by them, is due now. */
  limitsChanged(nowMs: number): void {
    for (const [key, session] of this.#sessions) this.#schedule(key, session);
    this.settled(nowMs);
  }

  take(signal: Signal, decisions: SignalDecisions, sender: string): void {
    const key = sessionKey(signal);
    if (key === undefined) return;
    const known = this.#sessions.get(key);
    if (isSessionNotice(signal.signal)) {
      if (known === undefined) return;
      takeNotice(known, signal.signal, signal.facts);
      return this.#keep(key, known);
    }
    const receivedMs = Date.parse(signal.received_at);
    if (known === undefined) this.#makeRoom(receivedMs);
    const session = takeSignal(known, signal);
    if (known === undefined) session.sender = sender;
    for (const notice of noticesOf(session, this.#options.limits(), receivedMs)) {
      if (decisions.replaying) continue;
      decisions.emit({ ...notice, source: SOURCE, timestampMs: receivedMs, cause: signal.id, trace: signal.trace });
    }
    this.#feed(session, signal, decisions);
    // Observations of before a rebuild have reported what was used until then.
    if (decisions.replaying) observedAll(session, receivedMs);
    this.#keep(key, session);
  }

  store(): void {
    for (const key of this.#changed) {
      const session = this.#sessions.get(key);
      if (session === undefined) this.#options.store.remove(key);
      else this.#options.store.write(key, session);
    }
    this.#changed.clear();
  }

  clear(): void {
    this.#options.store.clear();
  }

  load(): void {
    this.#sessions = new Map(this.#options.store.all());
    this.#changed.clear();
    this.#due.clear();
    for (const [key, session] of this.#sessions) this.#schedule(key, session);
  }

  settled(nowMs: number): void {
    const due = [...this.#due].filter(([, atMs]) => atMs <= nowMs).map(([key]) => key);
    if (due.length > 0) {
      this.#options.decide((decisions) => {
        for (const key of due) this.#tell(key, decisions, nowMs);
        this.store();
      });
    }
    const next = Math.min(...this.#due.values());
    if (Number.isFinite(next)) this.#options.wakeBy(next);
  }

  /** Charges what the session has used to a limit, in the transaction in which the signal is taken in: once. */
  #feed(session: Session, signal: Signal, decisions: SignalDecisions): void {
    const effect = limitUseOf(session, signal, this.#options.feeds());
    if (effect === undefined || decisions.replaying) return;
    const { id: cause, trace = "", depth = 0, seq } = signal;
    decisions.enqueueEffect({ effect, cause, trace, depth, seq, rule: "" }, `limit ${signal.id}`);
  }

  #tell(key: string, decisions: Decisions, nowMs: number): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    for (const notice of noticesOf(session, this.#options.limits(), nowMs))
      decisions.emit({ ...notice, source: SOURCE, timestampMs: nowMs });
    const facts = observationOf(session, nowMs);
    if (facts !== undefined) decisions.emit({ signal: "OBSERVATION", source: SOURCE, facts, timestampMs: nowMs });
    this.#keep(key, session);
  }

  #makeRoom(nowMs: number): void {
    for (const key of toForget(this.#sessions, nowMs)) {
      this.#sessions.delete(key);
      this.#due.delete(key);
      this.#changed.add(key);
    }
  }

  #keep(key: string, session: Session): void {
    this.#sessions.set(key, session);
    this.#changed.add(key);
    this.#schedule(key, session);
  }

  #schedule(key: string, session: Session): void {
    const atMs = nextNoticeMs(session, this.#options.limits());
    if (atMs === undefined) this.#due.delete(key);
    else this.#due.set(key, atMs);
  }
}
