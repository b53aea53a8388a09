import type { RunPolicy } from "../../src/core/reactions/run.ts";
import type { Facts, Signal } from "../../src/core/signals/signal.ts";
import type { ProcessIdentity } from "../base/process/process-group.ts";

/** A signal that a reaction emits. The runner adds source, cause and trace. */
export interface Emission {
  readonly signal: string;
  readonly facts: Facts;
  /** The same on each host where several may emit the signal: the log keeps one. */
  readonly id?: string;
}

export type Outcome =
  | { readonly ok: true; readonly emit: readonly Emission[]; readonly result?: unknown }
  | {
      readonly ok: false;
      readonly error: string;
      /** Whether another attempt may succeed. */
      readonly retry: boolean;
      /** Details for the signal of the failure. */
      readonly facts?: Facts;
      /** Signals of a run that fails for good, instead of those of {@link Reaction.failed}. */
      readonly emit?: readonly Emission[];
      /** Checkpoint of the first attempt after a replay of the dead letter; default: that of the last attempt. */
      readonly replayFrom?: unknown;
    };

export interface Attempt {
  readonly signal: Signal;
  /** From 1. */
  readonly attempt: number;
  /** Unique for this attempt: processes that it starts carry it in their environment as GANGLION_RUN. */
  readonly run: string;
  readonly abort: AbortSignal;
  /** What an earlier attempt saved last; `undefined`: nothing. */
  readonly checkpoint: unknown;
  /** Resolves when `value`, as JSON, is on the disk: the checkpoint of the next attempt after a crash. `null` clears it. */
  save(value: unknown): Promise<void>;
  /** Writes down the leader of the process group, so that the group is found after a crash. */
  started(leader: ProcessIdentity): void;
  /** Emits a signal before the attempt ends, at once. Not repeated if the agent crashes. */
  emit(emission: Emission): void;
}

/** Runs on this host when a signal or a task arrives. */
export interface Reaction {
  readonly name: string;
  readonly concurrency: number;
  readonly policy: RunPolicy;
  /**
   * Makes one attempt. After a crash it may be called again for the same signal, with the checkpoint of the earlier
   * attempt. An exception counts as a failure after which another attempt may succeed.
   */
  run(attempt: Attempt): Promise<Outcome>;
  /** The signals to emit when the run has failed for good. */
  failed(
    signal: Signal,
    failure: { readonly error: string; readonly attempts: number; readonly facts: Facts },
  ): Emission[];
}
