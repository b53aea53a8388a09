import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import { AttentionNudge, type AttentionNudgeOptions } from "../shell/attention-nudge.ts";

/** Has those who watch what needs somebody look again when something new fails, and when dead letters go. */
export class WatchedLetters {
  readonly #nudge: AttentionNudge;
  /** Of what dead letters came since some went: more of the same are no news. */
  readonly #known = new Set<string>();

  constructor(options: AttentionNudgeOptions) {
    this.#nudge = new AttentionNudge(options);
  }

  came(records: readonly DeadLetterRecord[]): void {
    const before = this.#known.size;
    for (const { kind, daemon, host = "" } of records) this.#known.add(`${kind} ${daemon} ${host}`);
    if (this.#known.size > before) this.#nudge.changed();
  }

  /** Some were replayed or discarded. */
  went(): void {
    this.#known.clear();
    this.#nudge.changed();
  }
}
