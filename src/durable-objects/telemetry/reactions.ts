import { readSignalLine } from "../../core/signals/signal-line.ts";
import { isOfReaction, REACTION_SIGNALS } from "../../core/telemetry/reaction-spans.ts";
import { objectNamed } from "../shell/ports.ts";
import type { LogPlace } from "./export-store.ts";
import type { TelemetryBindings } from "./ports.ts";
import type { SpansOf } from "./spans-of.ts";

/** Signals of one page, and pages of one look: each signal may cost a call, and an invocation may make 1,000. */
const PAGE = 200;
const PAGES = 3;

interface LookOptions {
  readonly env: TelemetryBindings;
  readonly ecosystem: string;
  readonly place: LogPlace;
  /** Patterns of further signals by which reactions tell their end. */
  readonly patterns: readonly string[];
  readonly spansOf: SpansOf;
  /** Stores the spans of a page, and how far the log was read. */
  readonly store: (spans: readonly string[], place: LogPlace) => void;
}

/** Reads the log for reactions that have ended since the look before. @returns whether there may be more */
export async function lookForReactions(options: LookOptions): Promise<boolean> {
  const { env, ecosystem, patterns, spansOf, store } = options;
  const log = objectNamed(env.SIGNAL_LOG, ecosystem, env);
  const { head_seq: head, epoch } = await log.reached();
  // A log that was lost, or set back, numbers its signals anew.
  let after = epoch === options.place.epoch ? Math.min(options.place.seq, head) : 0;
  for (let page = 0; page < PAGES; page++) {
    if (after >= head) return false;
    const signals = [...REACTION_SIGNALS, ...patterns];
    const { lines, next } = await log.read({ signals, after, limit: PAGE, order: "asc" });
    const found = lines.map(readSignalLine).filter(isOfReaction);
    const triggers = new Map<string, string | undefined>();
    for (const { cause } of found)
      if (cause !== undefined && !triggers.has(cause)) triggers.set(cause, traceIn(await log.find(cause)));
    const spans = found.flatMap((signal) => spansOf.reaction(signal, triggers.get(signal.cause ?? "")));
    // What came after the question for the end may be in the page.
    const last = lines.map(readSignalLine).at(-1)?.seq ?? 0;
    after = next ?? Math.max(head, last);
    store(spans, { epoch, seq: after });
  }
  return true;
}

const traceIn = (line: string | null): string | undefined => (line === null ? undefined : readSignalLine(line).trace);
