import { join } from "node:path";
import type { BuiltInContext } from "../../../../local-agent/reactions/built-ins/built-in.ts";
import type { Attempt } from "../../../../local-agent/reactions/reaction.ts";
import type { Signal } from "../../../../src/core/signals/signal.ts";
import { silent } from "../../../unit/store/temporary-state.ts";

export function aSignal(signal: string, facts: Record<string, unknown>): Signal {
  const at = "2026-01-31T12:00:00.000Z";
  return { seq: 1, id: "s1.abc", signal, source: "test", ecosystem: "default", timestamp: at, received_at: at, facts };
}

/** An attempt, and the checkpoint that a next one would be given. */
export class FakeAttempt implements Attempt {
  readonly attempt = 1;
  readonly run = "a-run";
  readonly abort = new AbortController().signal;
  readonly signal: Signal;
  checkpoint: unknown;
  /** The agent is killed at this save, counted from 1: it is written, and nothing after it happens. */
  crashAtSave = 0;
  /** What somebody else does at the first save: after the attempt has looked at the files, and before it changes them. */
  meanwhile = (): void => {};
  #saves = 0;

  constructor(signal: Signal, checkpoint?: unknown) {
    this.signal = signal;
    this.checkpoint = checkpoint;
  }

  started(): void {}
  emit(): void {}
  async save(value: unknown): Promise<void> {
    this.checkpoint = value === null ? undefined : JSON.parse(JSON.stringify(value));
    this.#saves += 1;
    if (this.#saves === 1) this.meanwhile();
    if (this.#saves === this.crashAtSave) throw new Error("killed");
  }
}

export function contextIn(baseDir: string, completed: string, failed: string): BuiltInContext {
  const times = { timeoutMs: 30_000, progressMs: undefined, now: Date.now };
  const outputs = { pathOf: (run: string) => join(baseDir, `${run}.output`) };
  return {
    name: "it",
    ...times,
    completed,
    failed,
    passOn: ["question_id"],
    baseDir,
    hostId: "h",
    outputs,
    log: silent,
  };
}
