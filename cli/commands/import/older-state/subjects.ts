import type { Policy } from "../../../../src/core/policy/api.ts";
import { snakeOf } from "./values.ts";

/** Words of older daemons for what a signal begins or reports. */
const ALIASES: Readonly<Record<string, string>> = {
  dream: "Q_DREAM_TRIGGER",
  dreams: "Q_DREAM_TRIGGER",
  investigation: "Q_CURIOSITY_INVESTIGATE",
  investigations: "Q_CURIOSITY_INVESTIGATE",
  curiosity: "Q_CURIOSITY_INVESTIGATE",
};

/** The fact by which rules keep apart what older daemons list by these words. */
const FACTS: Readonly<Record<string, string>> = {
  gap: "gap_name",
  incident: "incident_id",
  question: "question_id",
  module: "module_name",
};
const FACT = /^\s*facts\.\??([A-Za-z_]\w*)(?:\.orValue\(.*\))?\s*$/;

/** The fact by which a rule would keep such things apart. */
export const factOf = (word: string): string => FACTS[singularOf(word)] ?? `${singularOf(word)}_id`;

const singularOf = (word: string): string => word.replace(/ies$/, "y").replace(/s$/, "");

/** A rule that keeps things apart, and as what. */
export interface Keeping {
  readonly rule: Policy;
  readonly keptAs: "fired" | "in_flight";
}

/** The rules that older names mean: the id of a rule, a signal that rules emit or decide on, or a word for one of them. */
export class Subjects {
  readonly #rules: readonly Policy[];

  constructor(rules: readonly Policy[]) {
    this.#rules = rules;
  }

  /** @param name - as the file writes it */
  find(name: string): readonly Policy[] {
    const snake = snakeOf(name);
    const own = this.#rules.filter(({ id }) => id === name || snakeOf(id) === snake);
    if (own.length > 0) return own;
    for (const signal of [snake.toUpperCase(), `Q_${snake.toUpperCase()}`]) {
      const found = this.#of(signal);
      if (found.length > 0) return found;
    }
    // The whole name: a check of investigations is no investigation.
    return Object.hasOwn(ALIASES, snake) ? this.#of(ALIASES[snake] ?? "") : [];
  }

  /** Rules that keep apart by the fact that lists of these things are about. @param word - such as `gaps` */
  keeping(word: string): readonly Keeping[] {
    const singular = singularOf(word);
    const facts = new Set([factOf(word), singular, `${singular}_id`, `${singular}_name`]);
    const keeps = (by = "") => facts.has(FACT.exec(by)?.[1] ?? "");
    return this.#rules.flatMap((rule): Keeping[] => {
      if (keeps(rule.once_per?.by)) return [{ rule, keptAs: "fired" }];
      return keeps(rule.while_in_flight?.by) ? [{ rule, keptAs: "in_flight" }] : [];
    });
  }

  /** Rules that emit the signal, or, where none does, that decide on it. */
  #of(signal: string): readonly Policy[] {
    const emitting = this.#rules.filter((rule) => emitted(rule).includes(signal));
    return emitting.length > 0 ? emitting : this.#rules.filter(({ when }) => when.includes(signal));
  }
}

function emitted({ then, ask }: Policy): string[] {
  const effects = [...then, ...(ask?.choices.flatMap((choice) => choice.then) ?? [])];
  return effects.flatMap(({ emit }) => (emit === undefined ? [] : [emit.signal]));
}
