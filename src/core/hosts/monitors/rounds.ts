/** An ecosystem that was quiet for longer is left asleep: waking a thousand of them each minute is not free. */
const ACTIVE_MS = 2 * 3_600_000;
const DAY_MS = 86_400_000;
const MINUTES_A_DAY = 1_440;
/** Slices of time end at different moments, and the last is kept for a while beyond the retention. */
const SLACK_DAYS = 2;

export interface KnownEcosystem {
  readonly name: string;
  readonly lastActiveMs: number;
}

/** What a minute's round does, by the names of ecosystems. */
export interface Round {
  /** Signals came lately: projections that lag behind are told how far the log reaches. */
  readonly nudge: readonly string[];
  /** Hosts are there, or were: they are asked. */
  readonly ask: readonly string[];
  /** Quiet, with signals whose time will be over: once a day each, at a minute of its own. */
  readonly retain: readonly string[];
}

/** @param watched - ecosystems with hosts */
export function planRound(
  ecosystems: readonly KnownEcosystem[],
  watched: readonly string[],
  retentionMs: number,
  nowMs: number,
): Round {
  const active = ecosystems.filter(({ lastActiveMs }) => nowMs - lastActiveMs < ACTIVE_MS).map(({ name }) => name);
  const minute = Math.floor(nowMs / 60_000) % MINUTES_A_DAY;
  const retain = ecosystems
    .filter(({ lastActiveMs }) => nowMs - lastActiveMs < retentionMs + SLACK_DAYS * DAY_MS)
    .map(({ name }) => name)
    .filter((name) => minuteOf(name) === minute);
  return { nudge: active, ask: [...new Set([...active, ...watched])].sort(), retain };
}

/** A minute of the day, so that ecosystems do not all come at once. FNV-1a. */
export function minuteOf(ecosystem: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < ecosystem.length; n++) hash = Math.imul(hash ^ ecosystem.charCodeAt(n), 0x01000193);
  return (hash >>> 0) % MINUTES_A_DAY;
}
