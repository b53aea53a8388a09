/** An ecosystem that was quiet for longer, in milliseconds, is left asleep: waking it each minute costs money. */
const ACTIVE_MS = 2 * 3_600_000;
/** Minutes from one nudge to the next: the alarms of a log notify its projections sooner, this is for what they missed. */
const NUDGE_MINUTES = 15;
const DAY_MS = 86_400_000;
const MINUTES_A_DAY = 1_440;
/** Days beyond the retention in which segments may still be deleted: a segment is kept until its last signal is old. */
const SLACK_DAYS = 2;

export interface KnownEcosystem {
  readonly name: string;
  readonly lastActiveMs: number;
}

/** The work of one round, by names of ecosystems. A round runs each minute. */
export interface Round {
  readonly active: readonly string[];
  /**
   * Active: projections that lag behind learn how far the log reaches. Each ecosystem at minutes of its own, a quarter of
   * an hour apart, since a nudge wakes the log and all its projections.
   */
  readonly nudge: readonly string[];
  /** Recently active or with hosts: all hosts are asked. */
  readonly ask: readonly string[];
  /** Signals may be older than the retention: each ecosystem is checked once a day, at a minute of its own. */
  readonly retain: readonly string[];
}

/** @param watched - ecosystems with hosts */
export function planRound(
  ecosystems: readonly KnownEcosystem[],
  watched: readonly string[],
  retentionMs: number,
  nowMs: number,
): Round {
  const minute = Math.floor(nowMs / 60_000) % MINUTES_A_DAY;
  const recent = ecosystems.filter(({ lastActiveMs }) => nowMs - lastActiveMs < ACTIVE_MS);
  const active = recent.map(({ name }) => name);
  const nudge = active.filter((name) => (minute - minuteOf(name)) % NUDGE_MINUTES === 0);
  const retain = ecosystems
    .filter(({ lastActiveMs }) => nowMs - lastActiveMs < retentionMs + SLACK_DAYS * DAY_MS)
    .map(({ name }) => name)
    .filter((name) => minuteOf(name) === minute);
  return { active, nudge, ask: [...new Set([...active, ...watched])].sort(), retain };
}

/** Minutes from one count of what ecosystems with a budget have spent to the next. */
const COUNT_MINUTES = 10;

/** Whether this minute's round counts that. Only of those that are active or have hosts: the others spend next to nothing. */
export const isCounting = (nowMs: number): boolean => Math.floor(nowMs / 60_000) % COUNT_MINUTES === 0;

/** The minute of the day of an ecosystem, from 0 to 1,439: spreads ecosystems over the day. FNV-1a hash of the name. */
export function minuteOf(ecosystem: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < ecosystem.length; n++) hash = Math.imul(hash ^ ecosystem.charCodeAt(n), 0x01000193);
  return (hash >>> 0) % MINUTES_A_DAY;
}
