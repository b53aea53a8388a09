import type { RunPolicy } from "../../src/core/reactions/run.ts";
import type { Facts, Signal } from "../../src/core/signals/signal.ts";
import type { ProcessIdentity } from "../base/process/process-group.ts";

/** A signal that a reaction says. Its source, cause and trace are given to it. */
export interface Emission {
  readonly signal: string;
  readonly facts: Facts;
  /** The same each time where two hosts may say it: the log keeps one. */
  readonly id?: string;
}

export type Outcome =
  | { readonly ok: true; readonly emit: readonly Emission[]; readonly result?: unknown }
  | {
      readonly ok: false;
      readonly error: string;
      /** Whether another attempt may end otherwise. */
      readonly retry: boolean;
      /** More for whoever looks into it. */
      readonly facts?: Facts;
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
  /** Resolves when `value`, as JSON, is on the disk, for the next attempt should this one be cut short. `null`: nothing. */
  save(value: unknown): Promise<void>;
  /** Notes who leads the process group, so that it is found after a crash. */
  started(leader: ProcessIdentity): void;
  /** Says something before the end, on its way at once; not repeated should the agent crash. */
  say(emission: Emission): void;
}

/** What a host does about a signal. */
export interface Reaction {
  readonly name: string;
  readonly concurrency: number;
  readonly policy: RunPolicy;
  /**
   * Does it. May be called again for the same signal after a crash, and then finds what the earlier attempt left. An
   * exception counts as a failure that may pass.
   */
  perform(attempt: Attempt): Promise<Outcome>;
  /** What is said when it is given up. */
  failed(
    signal: Signal,
    failure: { readonly error: string; readonly attempts: number; readonly facts: Facts },
  ): Emission[];
}
