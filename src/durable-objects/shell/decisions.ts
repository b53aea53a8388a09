import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import type { PendingEffect } from "./effect-outbox.ts";
import type { Draft } from "./outgoing-signal.ts";

/** Calls for a decision that follows from no signal, such as that of a timer. */
export interface Decisions {
  /** @returns the id that the signal will have */
  emit(draft: Draft): string;
  /** @param key - names the effect among all of the projection, the same whenever it is decided @returns its id */
  enqueueEffect(effect: Omit<PendingEffect, "id">, key: string): string;
  /** Keeps something as a dead letter. */
  deadLetter(record: Omit<DeadLetterRecord, "daemon">): void;
}

/** Calls for a projection that takes a signal in. */
export interface SignalDecisions extends Decisions {
  /** Part of the work on the signal failed: keeps the signal as a dead letter of that part. */
  deadLetterPart(error: string, part: string, options?: DeadLetterOptions): void;
  /** The signal was taken in before, and is read again in a rebuild: its effects were emitted then. */
  readonly replaying: boolean;
}

export interface DeadLetterOptions {
  /** Id of the signal whose chain of causes is to stand in the dead letter. */
  readonly lineageOf?: string;
}
