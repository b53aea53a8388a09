/** What a session is doing. `waiting`: for a person. `frozen`: it owes a sign of life. */
export const SESSION_VERDICTS = ["working", "waiting", "idle", "frozen", "ended"] as const;
export type SessionVerdict = (typeof SESSION_VERDICTS)[number];

export interface SessionLimits {
  /** Longest silence of a session at work, in milliseconds. */
  readonly frozenMs: number;
  /** Longest silence within a call of a tool, in milliseconds: a run of tests takes its time. */
  readonly toolMs: number;
  /** How long a session waits for a person before a notice, in milliseconds. */
  readonly waitingMs: number;
}

export const DEFAULT_LIMITS: SessionLimits = { frozenMs: 110_000, toolMs: 4 * 3_600_000, waitingMs: 300_000 };

/** A call of a tool that has not ended. */
export interface OpenCall {
  readonly key: string;
  readonly tool: string | null;
  readonly since_ms: number;
  /** The part of the session that made it; null: the session itself. */
  readonly thread: string | null;
}

/** What was seen of a session. */
export interface SessionActivity {
  readonly calls: readonly OpenCall[];
  /** What a person was asked and has not answered. */
  readonly asks: readonly OpenCall[];
  /** Since when the model owes an answer; null: it does not. */
  readonly turn_ms: number | null;
  /** Since when nobody has asked it anything. */
  readonly idle_ms: number;
  readonly ended_ms: number | null;
  /** When the last sign of life was received. */
  readonly seen_ms: number;
}

export interface SessionJudgement {
  readonly verdict: SessionVerdict;
  readonly sinceMs: number;
  /** The tool that is used, or that waits for a permission. */
  readonly tool: string | null;
}

/** Decides what a session is doing. A call of a tool is progress for as long as it lasts, up to a limit. */
export function judgeSession(activity: SessionActivity, limits: SessionLimits, nowMs: number): SessionJudgement {
  const { calls, asks, turn_ms, idle_ms, ended_ms, seen_ms } = activity;
  if (ended_ms !== null) return { verdict: "ended", sinceMs: ended_ms, tool: null };
  const ask = oldest(asks);
  if (ask !== undefined) return { verdict: "waiting", sinceMs: ask.since_ms, tool: ask.tool };
  const frozenAtMs = freezesAtMs(activity, limits);
  const call = oldest(calls);
  if (frozenAtMs !== undefined && nowMs >= frozenAtMs)
    return { verdict: "frozen", sinceMs: seen_ms, tool: call?.tool ?? null };
  if (call !== undefined) return { verdict: "working", sinceMs: call.since_ms, tool: call.tool };
  if (turn_ms !== null) return { verdict: "working", sinceMs: turn_ms, tool: null };
  return { verdict: "idle", sinceMs: idle_ms, tool: null };
}

/** When the session counts as frozen unless a sign of life comes before; `undefined`: it owes none. */
export function freezesAtMs(activity: SessionActivity, limits: SessionLimits): number | undefined {
  const { calls, asks, turn_ms, ended_ms, seen_ms } = activity;
  if (ended_ms !== null || asks.length > 0) return undefined;
  if (calls.length > 0) return seen_ms + limits.toolMs;
  return turn_ms === null ? undefined : seen_ms + limits.frozenMs;
}

function oldest(calls: readonly OpenCall[]): OpenCall | undefined {
  return calls.reduce<OpenCall | undefined>(
    (first, call) => (first && first.since_ms <= call.since_ms ? first : call),
    undefined,
  );
}

/** The verdict in words, such as `in a tool call (Bash) for 12 min`. */
export function sessionInWords({ verdict, sinceMs, tool }: SessionJudgement, nowMs: number): string {
  const time = durationText(nowMs - sinceMs);
  switch (verdict) {
    case "working":
      return tool === null ? `working for ${time}` : `in a tool call (${tool}) for ${time}`;
    case "waiting":
      return `waits for a person for ${time}${tool === null ? "" : ` (${tool})`}`;
    case "frozen":
      return `frozen for ${time}${tool === null ? "" : ` (${tool})`}`;
    default:
      return `${verdict} for ${time}`;
  }
}

function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}
