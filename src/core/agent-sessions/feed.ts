import { SettleRequest } from "../limits/api.ts";
import type { LimitUse } from "../limits/limit-use.ts";
import { resetMsOf } from "../limits/reset-time.ts";
import { globMatches } from "../signals/pattern.ts";
import type { Signal } from "../signals/signal.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Session } from "./session.ts";
import { eventOf } from "./session-event.ts";
import type { Feed } from "./settings.ts";

/** A refusal that is reported later says nothing of what the provider does now. */
const NEWS_MS = 300_000;
/** Answers by which a provider says that it takes no more for now. */
const REFUSALS: readonly unknown[] = ["429", "529"];

/**
 * What a signal of a session charges to a limit: the use of a model, or a refusal of its provider, which closes the limit.
 *
 * @param session - after it took the signal in; is changed: notes by whom its use is counted
 */
export function limitUseOf(session: Session, signal: Signal, feeds: readonly Feed[]): LimitUse | undefined {
  const { from, facts, atMs, receivedMs, trace } = eventOf(signal);
  const isUse = signal.signal === "Q_SESSION_USAGE";
  // A hook tells of the refusal that ended a turn, and in the same words when the provider goes on.
  const endsTurn = from === "hooks" && signal.signal === "Q_SESSION_REPLIED" && facts.ok === false;
  if (!isUse && !endsTurn && signal.signal !== "Q_SESSION_API_FAILED") return undefined;
  // Counters of a program that count from its start on name no request.
  if (from === "metrics") return undefined;
  const isNews = receivedMs - Date.parse(signal.timestamp) <= NEWS_MS;
  if (!isUse && !(REFUSALS.includes(facts.status) && isNews)) return undefined;
  const model = typeof facts.model === "string" ? facts.model : (session.model ?? "");
  const feed = feeds.find(({ models }) => globMatches(models, model));
  if (feed === undefined) return undefined;
  // Events, spans and hooks of one program tell of the same requests. A turn that was refused is no further request, and
  // what closes twice is closed until the later end: the hook may know the reset, and the event not.
  if (!endsTurn) {
    session.fed_by ??= from;
    if (session.fed_by !== from) return undefined;
  }
  const task = typeof facts.task === "string" && facts.task !== "" ? facts.task : session.task;
  const request = SettleRequest.safeParse({
    // The same for the same signal: what is charged again changes nothing.
    reservation: `fed-${signal.id.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, 120)}`,
    amounts: isUse ? amountsOf(facts) : { requests: endsTurn ? 0 : 1, input_tokens: 0, output_tokens: 0, usd: 0 },
    ...(isUse ? {} : { outcome: { status: Number(facts.status), reason: reasonOf(facts), ...resetOf(facts, atMs) } }),
    agent: session.source,
    ...(task === null ? {} : { task: task.slice(0, 256) }),
    ...(trace === undefined ? {} : { chain: trace.slice(3, 35) }),
    ...(model === "" ? {} : { model }),
  });
  return request.success ? { kind: "limit", limit: feed.limit, request: request.data } : undefined;
}

function amountsOf(facts: Signal["facts"]) {
  const of = (name: string) => {
    const value = facts[name];
    return typeof value === "number" && value >= 0 ? value : undefined;
  };
  const usd = of("cost_usd");
  return {
    requests: 1,
    // What is read from the cache counts for no limit of tokens; what is written to it does.
    input_tokens: Math.round((of("input_tokens") ?? 0) + (of("cache_write_tokens") ?? 0)),
    output_tokens: Math.round(of("output_tokens") ?? 0),
    ...(usd === undefined ? {} : { usd }),
  };
}

/** The reset that the provider's message names, if it names one. */
function resetOf({ error }: Signal["facts"], atMs: number): { until?: string } {
  const untilMs = typeof error === "string" ? resetMsOf(error, atMs) : undefined;
  return untilMs === undefined ? {} : { until: formatTimestamp(untilMs) };
}

const reasonOf = ({ error, status }: Signal["facts"]) =>
  typeof error === "string" && error.trim() !== "" ? error.trim().slice(0, 500) : `the provider answered ${status}`;
