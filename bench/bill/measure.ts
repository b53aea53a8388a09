import { setTimeout as sleep } from "node:timers/promises";
import { LINES, type Line } from "../../src/core/billing/prices.ts";
import type { EdgeUnderTest } from "../edge-under-test.ts";
import { getJson } from "../http-client.ts";

export const MONTH_SECONDS = 30 * 86_400;
const RETENTION_SECONDS = 7 * 86_400;
/** `LOG_MAX_GB`: beyond it a log drops its oldest signals. */
const MAX_LOG_GB = 8;
const MINUTE_MS = 60_000;

interface Reading {
  readonly atMs: number;
  readonly used: Record<Line, number>;
  readonly messages: number;
}

export interface Measured {
  readonly seconds: number;
  /** What was used, and the storage that it takes once the retention is full. */
  readonly used: Record<Line, number>;
  /** Incoming messages of the log's sockets, in a second. */
  readonly messagesPerSecond: number;
}

async function read(edge: EdgeUnderTest): Promise<Reading> {
  const body = (await getJson(edge, "/v1/default/usage")) as {
    month: { lines: Record<Line, { used: number }> };
    objects: { signal_log: { socket_messages: number } };
  };
  const used = Object.fromEntries(LINES.map((line) => [line, body.month.lines[line].used])) as Record<Line, number>;
  return { atMs: performance.now(), used, messages: body.objects.signal_log.socket_messages };
}

/**
 * What an ecosystem uses in a time, by its own meter; what looking at the meter costs is left out.
 *
 * @param during - what happens meanwhile; default: nothing but what goes on anyway
 */
export async function measure(
  edge: EdgeUnderTest,
  seconds: number,
  during: () => Promise<void> = async () => void (await sleep(seconds * 1_000)),
): Promise<Measured> {
  const first = await read(edge);
  const before = await read(edge);
  await during();
  const after = await read(edge);
  const used = Object.fromEntries(
    LINES.map((line) => {
      const looking = line === "storage" ? 0 : before.used[line] - first.used[line];
      return [line, Math.max(0, after.used[line] - before.used[line] - looking)];
    }),
  ) as Record<Line, number>;
  const elapsed = (after.atMs - before.atMs) / 1_000;
  const kept = (used.storage / elapsed) * RETENTION_SECONDS;
  return {
    seconds: elapsed,
    used: { ...used, storage: Math.min(MAX_LOG_GB, kept) },
    // The log slept in between where the count went back: it had next to none.
    messagesPerSecond: Math.max(0, after.messages - before.messages) / elapsed,
  };
}

/** The amounts of a month in which everything goes on so. */
export function amountsOfMonth({ seconds, used }: Measured): Record<Line, number> {
  const amounts = LINES.map((line) => [
    line,
    line === "storage" ? used.storage : (used[line] / seconds) * MONTH_SECONDS,
  ]);
  return Object.fromEntries(amounts) as Record<Line, number>;
}

/** Resolves some seconds after a full minute: the minute's round is over then. */
export async function afterRound(): Promise<void> {
  const now = Date.now();
  const next = Math.ceil(now / MINUTE_MS) * MINUTE_MS + 8_000;
  await sleep(next - now);
}
