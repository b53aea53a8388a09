import { MAX_NAME } from "./record.ts";
import type { Session } from "./session.ts";
import type { SessionEvent } from "./session-event.ts";
import type { OpenCall } from "./verdict.ts";

/** Calls and questions of one session that are open at a time, and calls that ended and are remembered. */
const MAX_OPEN = 32;

/**
 * Changes what a session is doing. Hooks say all of it. Where a session has none, the events in its logs say most: a prompt
 * and the end of a tool call leave the model an answer to owe, and the model's answer, if no call follows, ends the turn.
 */
export function changeActivity(session: Session, event: SessionEvent): void {
  const { signal, from, atMs } = event;
  const drives = session.hooked ? from === "hooks" : from === "events";
  if (signal === "Q_SESSION_ENDED") return end(session, event);
  if (session.ended_ms !== null) {
    // What was on its way when the session ended does not bring it back.
    const begins = ["Q_SESSION_BEGUN", "Q_SESSION_PROMPTED", "Q_SESSION_TOOL_STARTED"].includes(signal);
    if (!drives || !begins || atMs < session.settled_at_ms) return;
    session.ended_ms = null;
  }
  if (signal === "Q_SESSION_PERMISSION_ANSWERED") answered(session, event, drives);
  else if (drives) changeBy(session, event);
  if (session.turn_ms === null && session.calls.length === 0 && from !== "metrics")
    session.idle_ms = Math.max(session.idle_ms, atMs);
}

function changeBy(session: Session, event: SessionEvent): void {
  const { signal, from, atMs, facts } = event;
  const isLate = atMs < session.changed_at_ms;
  switch (signal) {
    case "Q_SESSION_BEGUN":
      // After a compaction the session begins again in the midst of its work.
      if (facts.how !== "compact") settle(session, atMs);
      break;
    case "Q_SESSION_PROMPTED":
      if (isLate) return;
      settle(session, atMs);
      session.turn_ms = atMs;
      break;
    case "Q_SESSION_TOOL_STARTED":
      startCall(session, event);
      break;
    case "Q_SESSION_TOOL_ENDED": {
      const call = callOf(event);
      closeCall(session, call);
      if (isLate || (session.turn_ms === null && call.thread !== null)) return;
      session.turn_ms = atMs;
      break;
    }
    case "Q_SESSION_PERMISSION_ASKED":
      ask(session, event);
      break;
    case "Q_SESSION_REPLIED":
      if (!isLate) settle(session, atMs);
      break;
    case "Q_SESSION_USAGE":
    case "Q_SESSION_API_FAILED":
      if (from === "events" && !isLate && session.calls.length === 0) settle(session, atMs);
      break;
    case "Q_SESSION_ACTIVE":
      // It waits for its next prompt: somebody may have stopped it, of which no hook tells.
      if (facts.what === "idle_prompt") settle(session, atMs);
      break;
  }
  session.changed_at_ms = Math.max(session.changed_at_ms, atMs);
}

function end(session: Session, { atMs }: SessionEvent): void {
  settle(session, atMs);
  session.ended_ms ??= atMs;
}

/** Nothing is open any more. */
function settle(session: Session, atMs: number): void {
  for (const { key } of session.calls) remember(session, key);
  session.calls = [];
  session.asks = [];
  session.turn_ms = null;
  session.settled_at_ms = Math.max(session.settled_at_ms, atMs);
}

function startCall(session: Session, event: SessionEvent): void {
  const call = callOf(event);
  // Its end came before its beginning, or the turn in which it lay is over.
  if (session.closed.includes(call.key) || event.atMs < session.settled_at_ms) return;
  // The same part of the session goes on: what it asked was answered.
  session.asks = session.asks.filter(
    ({ thread, key, tool }) => thread !== call.thread && tool !== null && key !== call.key,
  );
  if (session.calls.some(({ key }) => key === call.key && key !== nameKey(call.tool))) return;
  session.calls = [...session.calls, call].slice(-MAX_OPEN);
  session.turn_ms ??= call.since_ms;
}

function closeCall(session: Session, call: OpenCall): void {
  const place = session.calls.findIndex(({ key }) => key === call.key);
  const named =
    place >= 0 ? place : session.calls.findIndex(({ key, tool }) => key === nameKey(tool) && tool === call.tool);
  if (named >= 0) session.calls.splice(named, 1);
  remember(session, call.key);
  resolve(session, call);
}

/** Calls without ids of their own are distinguished by the names of their tools: they may begin again. */
function remember(session: Session, key: string): void {
  if (!key.startsWith("tool:")) session.closed = [...session.closed, key].slice(-MAX_OPEN);
}

function ask(session: Session, event: SessionEvent): void {
  const call = callOf(event);
  if (event.atMs < session.settled_at_ms) return;
  // A notification repeats a question that was received already.
  if (session.asks.length > 0 && (call.tool === null || session.asks.some(({ key }) => key === call.key))) return;
  session.asks = [...session.asks, call].slice(-MAX_OPEN);
}

function resolve(session: Session, { key, tool }: OpenCall): void {
  session.asks = session.asks.filter((one) => one.key !== key && one.tool !== null && one.tool !== tool);
}

/** Somebody allowed a call, or did not, or it needed nobody. Only events tell of this. */
function answered(session: Session, event: SessionEvent, drives: boolean): void {
  const call = callOf(event);
  resolve(session, call);
  if (event.facts.decision === "reject") closeCall(session, call);
  else if (drives && !session.hooked) startCall(session, event);
  if (drives) session.changed_at_ms = Math.max(session.changed_at_ms, event.atMs);
}

const nameKey = (tool: string | null): string => `tool:${tool ?? ""}`;

function callOf({ facts, atMs }: SessionEvent): OpenCall {
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value.slice(0, MAX_NAME) : null);
  const tool = text(facts.tool);
  return { key: text(facts.call) ?? nameKey(tool), tool, since_ms: atMs, thread: text(facts.thread) };
}
