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
