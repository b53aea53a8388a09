import type { CompiledRule } from "./compiled-rule.ts";
import { NameIndex } from "./name-index.ts";

/** Which rules a signal concerns, by its name. */
export class RuleIndex {
  readonly #byWhen = new NameIndex<CompiledRule>();
  readonly #byFlightEnd = new NameIndex<CompiledRule>();
  readonly #byAnswer = new NameIndex<CompiledRule>();

  /** @param quarantined - whether a rule's expressions must not be evaluated */
  constructor(rules: Iterable<CompiledRule> = [], quarantined: (rule: string) => boolean = () => false) {
    for (const one of rules) {
      const { id, enabled, when, while_in_flight, expect } = one.rule;
      const silent = quarantined(id);
      // A rule that is disabled or quarantined must still see the end of what it started: it may be enabled again.
      if (while_in_flight !== undefined && (!silent || one.inFlight?.untilBy === undefined)) {
        this.#byFlightEnd.add(while_in_flight.until, one);
      }
      if (!enabled || silent) continue;
      this.#byWhen.add(when, one);
      if (expect !== undefined) this.#byAnswer.add(expect.signal, one);
    }
  }

  /** Rules that decide on the signal, in their order. */
  deciding(name: string): readonly CompiledRule[] {
    return this.#byWhen.find(name);
  }

  /** Rules whose work in flight the signal may end. */
  inFlight(name: string): readonly CompiledRule[] {
    return this.#byFlightEnd.find(name);
  }

  /** Rules that may have waited for the signal. */
  waiting(name: string): readonly CompiledRule[] {
    return this.#byAnswer.find(name);
  }
}
