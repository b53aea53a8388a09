import type { Signal } from "../signals/signal.ts";
import { changeActivity } from "./change-activity.ts";
import { countSignal } from "./count-signal.ts";
import { MAX_NAME } from "./record.ts";
import { newSession, type Session } from "./session.ts";
import { eventOf, type SessionEvent, type SessionLogSignal } from "./session-event.ts";

/** The session of a signal; `undefined`: it names none. */
export function sessionKey({ facts }: Pick<Signal, "facts">): string | undefined {
  const { session, agent } = facts;
  if (typeof session !== "string" || typeof agent !== "string" || session === "" || agent === "") return undefined;
  return `${agent.slice(0, MAX_NAME)} ${session.slice(0, MAX_NAME)}`;
}

/**
 * Takes a signal of a session in.
 *
 * @param before - `undefined`: its first signal
 * @returns the session, changed in place
 */
export function takeSignal(before: Session | undefined, signal: SessionLogSignal): Session {
  const event = eventOf(signal);
  const { facts, receivedMs, atMs } = event;
  const [agent, id] = [String(facts.agent).slice(0, MAX_NAME), String(facts.session).slice(0, MAX_NAME)];
  const session = before ?? newSession(id, agent, signal.source, atMs);
  if (event.from === "hooks") session.hooked = true;
  describe(session, event);
  const grown = countSignal(session, event);
  // Counters that stand still come from a program that lives, and tell nothing of its work.
  if (event.from !== "metrics" || grown) session.seen_ms = Math.max(session.seen_ms, receivedMs);
  changeActivity(session, event);
  return session;
}

function describe(session: Session, { facts, signal }: SessionEvent): void {
  const text = (name: string) => {
    const value = facts[name];
    return typeof value === "string" && value !== "" ? value.slice(0, 256) : undefined;
  };
  session.model = text("model") ?? session.model;
  session.version = text("version") ?? session.version;
  session.directory = text("directory") ?? session.directory;
  session.task = text("task") ?? session.task;
  if (signal !== "Q_SESSION_USAGE") return;
  const { context_tokens, context_share } = facts;
  if (typeof context_tokens === "number") {
    session.context_tokens = context_tokens;
    session.context_share = typeof context_share === "number" ? context_share : null;
  }
}
