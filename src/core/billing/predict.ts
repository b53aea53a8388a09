import { NO_USAGE, type Usage } from "./usage.ts";

/** Signals that no rule and no scanner reads, in appends of one size, each answered before the next. */
interface Flow {
  readonly signals: number;
  /** Signals in each append. */
  readonly perAppend: number;
  /** `link`: frames of a host's link; `http`: calls of the API; `call`: calls of the log alone. */
  readonly over: "link" | "http" | "call";
}

/** A zone, and the page of producers that it writes, come after so many segments. */
const SEGMENTS_PER_ZONE = 256;
const ROWS_PER_ZONE = 2;

/**
 * What a flow uses, by design: an append is a row, and a message or a request. What an edge counts for the same flow must
 * agree within a few percent, or the meter, or the design, is not what people are told.
 */
export function predictUsage({ signals, perAppend, over }: Flow): Usage {
  const appends = Math.ceil(signals / perAppend);
  return {
    ...NO_USAGE,
    rows_written: appends + Math.floor(appends / SEGMENTS_PER_ZONE) * ROWS_PER_ZONE,
    requests: over === "link" ? 1 : appends,
    socket_messages: over === "link" ? appends : 0,
    worker_requests: over === "http" ? appends : over === "link" ? 1 : 0,
  };
}

const DAY_SECONDS = 86_400;
const DAY_MINUTES = 1_440;
/** Of an event to its object, with the tenth of a second in which the object cannot hibernate yet. */
const EVENT_MS = 105;

/**
 * What calls and rows a minute costs an ecosystem with hosts, whatever the hosts send: the round of the cron trigger, the
 * scanners' looks each 15 s, the history, and the counting itself.
 */
const A_MINUTE = {
  /** Directory 3, nudge 1 with 3 projections, hosts asked over 2 objects; the log's alarm with 1 projection, and a touch; 4 looks. */
  requests: 16,
  /** Alarms 5, a minute of the history 2, a day's row of 6 objects, a touch. */
  rows: 14,
  /** The round itself. */
  invocations: 1,
} as const;

/** Hosts that measure themselves and do nothing else. */
interface Fleet {
  readonly hosts: number;
  readonly samplerSeconds: number;
  /** Messages of the queue a minute, with observations. */
  readonly messagesPerMinute: number;
}

/** What such a fleet uses in a day, by design: each measurement is a message and a row, and so is each answer of a host a message. */
export function predictFleetDay({ hosts, samplerSeconds, messagesPerMinute }: Fleet): Usage {
  const appends = (hosts * DAY_SECONDS) / samplerSeconds;
  const messages = messagesPerMinute * DAY_MINUTES;
  const incoming = appends + hosts * DAY_MINUTES;
  const requests = A_MINUTE.requests * DAY_MINUTES + messages;
  const zones = (appends / SEGMENTS_PER_ZONE) * ROWS_PER_ZONE;
  // A message is a row of the window's store, and its cursor.
  return {
    ...NO_USAGE,
    rows_written: Math.ceil(appends + zones + 2 * messages + A_MINUTE.rows * DAY_MINUTES),
    requests,
    socket_messages: incoming,
    queue_operations: 3 * messages,
    queue_messages: messages,
    worker_requests: A_MINUTE.invocations * DAY_MINUTES,
    open_ms: (incoming + requests) * EVENT_MS,
  };
}
