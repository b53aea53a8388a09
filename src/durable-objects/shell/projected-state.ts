import type { SenderRange } from "../../core/signals/log/senders.ts";
import type { Signal } from "../../core/signals/signal.ts";
import type { SignalDecisions } from "./decisions.ts";
import type { EffectFates } from "./effect-outbox.ts";

/** State that follows from the signals of the log in their order. No method may await: a transaction is one turn. */
export interface ProjectedState extends EffectFates {
  /**
   * Takes one signal in. A throw makes the signal a dead letter and leaves its neighbours alone.
   *
   * @param sender - who sent the signal, see senders.ts
   * @param chars - of the signal as the log has it
   */
  take(signal: Signal, decisions: SignalDecisions, sender: string, chars: number): void;
  /**
   * Reprocesses the failed part of a signal. To be implemented by a state whose work has parts, or that may hold the signal
   * already. Default: the whole signal is taken in; a part throws.
   */
  reprocessPart?(signal: Signal, part: string | null, decisions: SignalDecisions, sender: string): void;
  /** Writes the changes of `take`; called in the same transaction, once for many signals. */
  store(lines: readonly string[], senders: readonly SenderRange[]): void;
  /** Forgets everything that follows from the log. */
  clear(): void;
  /** Reads memory back from storage, after a transaction that failed or a rebuild. */
  load(): void;
  /** Patterns that the projection reads from the log, where they differ from its subscription. */
  patterns?(): readonly string[];
  /** Called after signals were taken in and on every alarm, outside a transaction. */
  settled(nowMs: number): void | Promise<void>;
}
