import { cutPrompt } from "../models/question.ts";
import type { ResolvedQuestion } from "./ask.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import type { Effect } from "./effect.ts";
import type { EvaluationContext, RecordedOutcome } from "./evaluation-context.ts";
import type { EvaluationResult } from "./evaluation-result.ts";
import { spentReason, takeShare } from "./fair-share.ts";
import { keyOf } from "./key.ts";
import { countFiring, guardLoops } from "./loop-guard.ts";
import { resolveEffects } from "./resolve-effects.ts";
import type { RuleState } from "./rule-state.ts";
import { differInSubject, resemblance, sketchText, type TextSketch } from "./similarity.ts";
import { COOLDOWN_KEY, type StateMutation, type StateRow } from "./state.ts";

const NO_DECISION: EvaluationResult = { outcome: undefined, effects: [], mutations: [] };

/** Evaluates the conditions of one rule on one signal in their order, each at a bounded cost. Changes no state. */
export class RuleEvaluation {
  readonly #compiled: CompiledRule;
  readonly #rule: string;
  readonly #context: EvaluationContext;
  readonly #state: RuleState;
  /** Written when the rule fires. */
  readonly #onFiring: StateMutation[] = [];

  constructor(compiled: CompiledRule, context: EvaluationContext, state: RuleState) {
    this.#compiled = compiled;
    this.#rule = compiled.rule.id;
    this.#context = context;
    this.#state = state;
  }

  /** @throws Error where an expression cannot be evaluated, or an effect would be refused by its receiver */
  evaluate(): EvaluationResult {
    const { where } = this.#compiled;
    if (where !== undefined && where(this.#context.scope) !== true) return NO_DECISION;
    const muted = this.#muted();
    if (muted !== undefined) return suppressed(muted);
    const count = this.#count();
    if (count !== undefined && !count.reached) return { ...NO_DECISION, mutations: [count.row] };
    // A signal counts also where a later condition suppresses the rule.
    const counted = count === undefined ? [] : [count.row];
    const reason = this.#coolingDown() ?? this.#repeated() ?? this.#inFlight();
    if (reason !== undefined) return suppressed(reason, counted);
    const duplicate = this.#nearDuplicate();
    if (duplicate !== undefined) {
      const spent = this.#takeShare("duplicate");
      if (spent !== undefined) return { ...spent, mutations: counted };
      const shares = this.#onFiring.filter(({ kind }) => kind === "share");
      const result = { ...suppressed(duplicate.reason, [...counted, ...shares]), effects: duplicate.effects };
      return guardLoops(result, this.#compiled, this.#context, this.#state);
    }
    const spent = this.#takeShare("firing");
    if (spent !== undefined) return { ...spent, mutations: counted };
    if (count !== undefined) this.#onFiring.push(deletionOf(count.row));
    return this.#fire();
  }

  /** Derives the state that the rule kept when it decided so. The effects of that decision are not resolved again. */
  replayOutcome(recorded: Exclude<RecordedOutcome, "failed">): EvaluationResult {
    const { where } = this.#compiled;
    if (recorded === "nothing" && where !== undefined && where(this.#context.scope) !== true) return NO_DECISION;
    if (recorded !== "fired" && this.#muted() !== undefined) return NO_DECISION;
    const count = this.#count();
    if (recorded !== "fired") return { ...NO_DECISION, mutations: count === undefined ? [] : [count.row] };
    if (count !== undefined) this.#onFiring.push(deletionOf(count.row));
    this.#coolingDown();
    this.#repeated();
    this.#inFlight();
    this.#nearDuplicate();
    this.#takeShare("firing");
    this.#expect();
    const firing = countFiring(this.#compiled, this.#context, this.#state);
    return { outcome: "fired", effects: [], mutations: [...this.#onFiring, firing] };
  }

  #fire(): EvaluationResult {
    const { scope, signal } = this.#context;
    const effects = resolveEffects(this.#compiled.then, scope, signal);
    const question = this.#resolveQuestion();
    this.#expect();
    const result: EvaluationResult = {
      outcome: "fired",
      effects,
      mutations: this.#onFiring,
      ...(question === undefined ? {} : { question }),
    };
    return guardLoops(result, this.#compiled, this.#context, this.#state);
  }

  /** The effects of each choice are resolved now: the model chooses among effects and has no part in what they contain. */
  #resolveQuestion(): ResolvedQuestion | undefined {
    const { ask } = this.#compiled;
    if (ask === undefined) return undefined;
    const { scope, signal, nowMs } = this.#context;
    const prompt = ask.prompt(scope);
    return {
      model: ask.model,
      timeoutMs: ask.timeoutMs,
      fallback: ask.fallback,
      ...cutPrompt(typeof prompt === "string" ? prompt : JSON.stringify(prompt)),
      ...(ask.context === undefined ? {} : { context: ask.context(scope, nowMs) }),
      choices: ask.choices.map(({ name, means, then }) => ({
        name,
        means,
        effects: resolveEffects(then, scope, signal),
      })),
    };
  }

  #muted(): string | undefined {
    for (const mute of this.#compiled.mutes) {
      const untilMs = mute(this.#context.nowMs);
      if (untilMs !== undefined) return `muted until ${timeText(untilMs)}`;
    }
    return undefined;
  }

  #count(): { readonly reached: boolean; readonly row: StateRow } | undefined {
    const { atLeast } = this.#compiled;
    if (atLeast === undefined) return undefined;
    const { nowMs, scope } = this.#context;
    const key = keyOf(atLeast.by, scope);
    const known = this.#state.get("count", this.#rule, key)?.timesMs ?? [];
    const timesMs = [...known.filter((ms) => ms > nowMs - atLeast.withinMs), nowMs].slice(-atLeast.n);
    const body = { timesMs, untilMs: nowMs + atLeast.withinMs };
    return { reached: timesMs.length >= atLeast.n, row: { kind: "count", rule: this.#rule, key, body } };
  }

  #coolingDown(): string | undefined {
    const { cooldownMs } = this.#compiled;
    return cooldownMs === undefined ? undefined : this.#once(COOLDOWN_KEY, cooldownMs, "cooling down since");
  }

  #repeated(): string | undefined {
    const { oncePer } = this.#compiled;
    if (oncePer === undefined) return undefined;
    return this.#once(`=${keyOf(oncePer.by, this.#context.scope)}`, oncePer.withinMs, "once already, by");
  }

  #once(key: string, withinMs: number, words: string): string | undefined {
    const { nowMs, origin } = this.#context;
    const known = this.#state.get("once", this.#rule, key);
    const body = { by: origin.id, untilMs: nowMs + withinMs };
    this.#onFiring.push({ kind: "once", rule: this.#rule, key, body });
    if (known === undefined || nowMs >= known.untilMs) return undefined;
    return `${words} ${known.by}, until ${timeText(known.untilMs)}`;
  }

  #inFlight(): string | undefined {
    const { inFlight } = this.#compiled;
    if (inFlight === undefined) return undefined;
    const { nowMs, origin, scope } = this.#context;
    const key = keyOf(inFlight.by, scope);
    const known = this.#state.get("flight", this.#rule, key);
    const body = { startedBy: origin.id, untilMs: nowMs + inFlight.atMostMs };
    this.#onFiring.push({ kind: "flight", rule: this.#rule, key, body });
    return known === undefined || nowMs >= known.untilMs ? undefined : `in flight since ${known.startedBy}`;
  }

  #nearDuplicate(): { readonly reason: string; readonly effects: Effect[] } | undefined {
    const { nearDuplicate, rule } = this.#compiled;
    if (nearDuplicate === undefined || rule.near_duplicate === undefined) return undefined;
    const { nowMs, origin, scope, signal } = this.#context;
    const text = nearDuplicate.text(scope);
    if (typeof text !== "string") throw new Error(`near_duplicate compares texts, not ${JSON.stringify(text)}`);
    const by = keyOf(nearDuplicate.by, scope);
    const name = nearDuplicate.name === undefined ? origin.id : keyOf(nearDuplicate.name, scope);
    const sketch = sketchText(text);
    const body = { by, name, sketch, untilMs: nowMs + nearDuplicate.withinMs };
    this.#onFiring.push({ kind: "text", rule: rule.id, key: String(signal.seq), body });
    if (nearDuplicate.override?.(scope) === true) return undefined;
    const best = this.#mostSimilar(sketch, by);
    if (best === undefined || best.similarity < rule.near_duplicate.threshold) return undefined;
    const duplicate = { of: best.name, similarity: Math.round(best.similarity * 1_000) / 1_000 };
    const effects = resolveEffects(nearDuplicate.else, { ...scope, duplicate }, signal);
    return { reason: `like ${duplicate.of}: ${duplicate.similarity}`, effects };
  }

  #mostSimilar(sketch: TextSketch, by: string): { readonly name: string; readonly similarity: number } | undefined {
    let best: { name: string; similarity: number } | undefined;
    for (const [, known] of this.#state.entries("text", this.#rule)) {
      if (known.by !== by || this.#context.nowMs >= known.untilMs) continue;
      const similarity = resemblance(sketch, known.sketch);
      if (similarity <= (best?.similarity ?? 0) || differInSubject(sketch, known.sketch)) continue;
      best = { name: known.name, similarity };
    }
    return best;
  }

  /** Counts one more firing. @returns the decision where a share of the rule is used up */
  #takeShare(counts: "firing" | "duplicate"): EvaluationResult | undefined {
    const taken = takeShare(this.#compiled, this.#context, this.#state, counts);
    if ("rows" in taken) {
      this.#onFiring.push(...taken.rows);
      return undefined;
    }
    return { ...suppressed(spentReason(taken, this.#compiled.rule.share?.per ?? "")), spent: taken };
  }

  #expect(): void {
    const { expect } = this.#compiled;
    if (expect === undefined) return;
    const { nowMs, origin, scope, signal } = this.#context;
    const key = keyOf(expect.by, scope);
    if (expect.lookbackMs !== undefined) {
      const answer = this.#state.get("answer", this.#rule, key);
      if (answer !== undefined && nowMs - answer.atMs <= expect.lookbackMs) {
        // One answer ends one wait.
        this.#onFiring.push({ kind: "answer", rule: this.#rule, key, body: null });
        return;
      }
    }
    // The time runs from the first question: if each repetition began it anew, an answer that never comes would never
    // be too late.
    if (this.#state.get("expected", this.#rule, key) !== undefined) return;
    const effects = resolveEffects(expect.else, scope, signal);
    const body = { since: origin, sinceMs: nowMs, dueMs: nowMs + expect.withinMs, else: effects };
    this.#onFiring.push({ kind: "expected", rule: this.#rule, key, body });
  }
}

function suppressed(reason: string, mutations: readonly StateMutation[] = []): EvaluationResult {
  return { outcome: "suppressed", reason, effects: [], mutations };
}

const deletionOf = ({ kind, rule, key }: StateRow): StateMutation => ({ kind, rule, key, body: null });
const timeText = (ms: number) => new Date(ms).toISOString();
