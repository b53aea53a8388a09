import { pruneDeep } from "../../core/json/prune-deep.ts";
import type { ProjectionName } from "../../core/projection/batch.ts";
import type { BridgeNumbers } from "./bridge-numbers.ts";
import type { DeadLetterOptions, Decisions, SignalDecisions } from "./decisions.ts";
import type { OtherLog } from "./followed-log.ts";
import type { Outbox } from "./outbox.ts";

/** Decisions on one signal; makes the signal a dead letter where `take` throws. */
export interface TakeDecisions extends SignalDecisions {
  failed(error: unknown): void;
}

/** Puts the decisions of a projection into its outbox. */
export class ProjectionDecisions {
  /** Of decisions that follow from no signal. */
  readonly own: Decisions;
  readonly #outbox: Outbox;
  readonly #name: ProjectionName;

  constructor(outbox: Outbox, bridges: BridgeNumbers, name: ProjectionName) {
    this.#outbox = outbox;
    this.#name = name;
    this.own = {
      emit: (draft) => outbox.emit(draft),
      enqueueEffect: (effect, key) => {
        // A forwarded signal is known by the id that it has in the other ecosystem.
        const { effect: what } = effect;
        const id = what.kind === "forward" ? bridges.next(what.ecosystem) : `${outbox.producer}.${key}`;
        outbox.effects.add({ ...effect, id });
        return id;
      },
      deadLetter: (record) => outbox.deadLetter({ ...record, daemon: `ganglion/${name}` }),
    };
  }

  /**
   * @param line - of the log, with the signal
   * @param replaying - the signal was taken in before: its effects were emitted then, and are not emitted again
   */
  on(line: string, seq: number, replaying: boolean): TakeDecisions {
    if (replaying) {
      const muted = () => `muted.${seq}`;
      return {
        emit: muted,
        enqueueEffect: muted,
        deadLetter: nothing,
        deadLetterPart: nothing,
        failed: nothing,
        replaying,
      };
    }
    return {
      ...this.own,
      deadLetterPart: (error, part, options) => this.#deadLetter(line, `${seq}.${part}`, error, options),
      failed: (error) => this.#deadLetter(line, String(seq), error),
      replaying,
    };
  }

  /** The log is not the one that it was: its reader tells so, beginning at the new end. */
  logChanged(cursor: number, { head, replaced }: OtherLog, nowMs: number): void {
    this.#outbox.emit({
      signal: "Q_LOG_SET_BACK",
      source: `ganglion/${this.#name}`,
      facts: { projection: this.#name, cursor, head_seq: head, replaced },
      timestampMs: nowMs,
    });
  }

  #deadLetter(line: string, key: string, error: unknown, { lineageOf }: DeadLetterOptions = {}): void {
    this.#outbox.deadLetter({
      id: `${this.#name}.${key}`,
      kind: "signal",
      signal: asJson(line),
      error: error instanceof Error ? error.message : String(error),
      daemon: `ganglion/${this.#name}`,
      ...(lineageOf === undefined ? {} : { lineage: [lineageOf] }),
    });
  }
}

const nothing = () => undefined;

/** A signal from before its depth was limited is cut. A line that is not JSON stays the text that it is: that is the failure which the dead letter reports. */
function asJson(line: string): unknown {
  try {
    return pruneDeep(JSON.parse(line));
  } catch {
    return line;
  }
}
