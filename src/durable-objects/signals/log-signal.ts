import type { NewSignal } from "../../core/signals/signal.ts";
import { NOTHING } from "../shell/outgoing-signal.ts";

/** A signal that a log tells of itself. @param id - missing: its producer's number names it */
export const logSignal = (signal: string, facts: object, id?: string): NewSignal => ({
  ...NOTHING,
  id,
  signal,
  source: "ganglion/log",
  factsJson: JSON.stringify(facts),
});
