import { PROMPT_CHARS } from "../models/question.ts";
import { LIMITS } from "../signals/limits.ts";
import type { Signal } from "../signals/signal.ts";
import type { Asked } from "./ask.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import type { Effect } from "./effect.ts";
import type { Scope } from "./expression.ts";
import { keyOf } from "./key.ts";
import { readPaths } from "./read-paths.ts";
import { resolveEffects, valuesOf } from "./resolve-effects.ts";
import type { RuleOutcome } from "./rule-outcome.ts";
import type { RuleState } from "./rule-state.ts";
import { differInSubject, resemblance, sketchText, type TextSketch } from "./similarity.ts";
import type { Origin, StateChange, StateRow } from "./state.ts";

/** What a rule remembers is forgotten when so long no signal came. */
export const MEMORY_MS = 7 * 86_400_000;
const MEMORY_CHARS = 4_096;

/** A signal on its way through the rules. */
export interface EvaluationContext {
  readonly signal: Signal;
  readonly origin: Origin;
  readonly scope: Scope;
  /** When the log took it. */
  readonly nowMs: number;
  /** What the rule is known to have decided on it: then that is what it keeps, whatever it would decide now. */
  readonly recorded?: RecordedOutcome;
}

/** `nothing`: it had nothing to say, though it may have counted the signal. */
export type RecordedOutcome = RuleOutcome["outcome"] | "nothing";

type Change = StateRow | (Pick<StateChange, "kind" | "rule" | "key"> & { readonly body: null });

/** What is found before anything is changed. */
interface Finding {
  /** `undefined`: nothing to tell. */
  readonly outcome: RuleOutcome["outcome"] | undefined;
  readonly reason?: string;
  readonly effects: readonly Effect[];
  readonly asked?: Asked;
  readonly cut?: "depth" | "rate";
  readonly quiet?: true;
  readonly changes: readonly Change[];
}

/** @returns `undefined` where the rule has nothing to say about the signal; what it keeps is in `state` afterwards */
export function judge(compiled: CompiledRule, one: EvaluationContext, state: RuleState): RuleOutcome | undefined {
  const { rule } = compiled;
  let { scope } = one;
  let finding: Finding;
  if (one.recorded === "failed") return undefined;
  try {
    const memory = memoryOf(compiled, scope, state);
    if (memory !== undefined) scope = { ...scope, state: memory.values };
    const examination = new Examination(compiled, { ...one, scope }, state);
    finding = one.recorded === undefined ? examination.find() : examination.retrace(one.recorded);
    // By what was remembered before, and before anything is kept: where this fails the rule fails as a whole.
    const remembered = memory && remember(compiled, memory.key, scope, one.nowMs);
    for (const change of finding.changes) apply(change, state);
    if (remembered !== undefined) state.set(remembered);
  } catch (error) {
    finding = { outcome: "failed", reason: messageOf(error), effects: [], changes: [] };
  }
  const { outcome, reason, effects, asked, cut, quiet } = finding;
  if (outcome === undefined) return undefined;
  return {
    ...{ rule, outcome, effects, origin: one.origin, atMs: one.nowMs, by: "signal" as const },
    ...(reason === undefined ? {} : { reason }),
    values: readPaths(compiled.reads, scope),
    ...(asked === undefined ? {} : { asked }),
    ...(cut === undefined ? {} : { cut }),
    ...(quiet === undefined ? {} : { quiet }),
  };
}

const NOTHING: Finding = { outcome: undefined, effects: [], changes: [] };

/** Asks the conditions of one rule in their order, each at a bounded cost. Changes nothing. */
class Examination {
  readonly #compiled: CompiledRule;
  readonly #rule: string;
  readonly #case: EvaluationContext;
  readonly #state: RuleState;
  /** Kept when the rule fires. */
  readonly #onFiring: Change[] = [];

  constructor(compiled: CompiledRule, one: EvaluationContext, state: RuleState) {
    this.#compiled = compiled;
    this.#rule = compiled.rule.id;
    this.#case = one;
    this.#state = state;
  }

  find(): Finding {
    const { where } = this.#compiled;
    if (where !== undefined && where(this.#case.scope) !== true) return NOTHING;
    const muted = this.#muted();
    if (muted !== undefined) return suppressed(muted);
    const counted = this.#counted();
    if (counted !== undefined && !counted.enough) return { ...NOTHING, changes: [counted.kept] };
    // A signal that counted and was held back by something else has counted all the same.
    const count = counted === undefined ? [] : [counted.kept];
    const held = this.#cooling() ?? this.#repeated() ?? this.#inFlight();
    if (held !== undefined) return suppressed(held, count);
    const like = this.#like();
    if (like !== undefined) return this.#guarded({ ...suppressed(like.reason, count), effects: like.effects });
    if (counted !== undefined) this.#onFiring.push({ ...counted.kept, body: null });
    return this.#fire();
  }

  /** What the rule kept when it decided so. What it did then is not worked out again. */
  retrace(recorded: Exclude<RecordedOutcome, "failed">): Finding {
    const { where } = this.#compiled;
    if (recorded === "nothing" && where !== undefined && where(this.#case.scope) !== true) return NOTHING;
    if (recorded !== "fired" && this.#muted() !== undefined) return NOTHING;
    const counted = this.#counted();
    if (recorded !== "fired") return { ...NOTHING, changes: counted === undefined ? [] : [counted.kept] };
    if (counted !== undefined) this.#onFiring.push({ ...counted.kept, body: null });
    this.#cooling();
    this.#repeated();
    this.#inFlight();
    this.#like();
    this.#expect();
    const { body, row } = this.#rated();
    return { outcome: "fired", effects: [], changes: [...this.#onFiring, row({ fired: body.fired + 1 })] };
  }

  #fire(): Finding {
    const { scope, signal } = this.#case;
    const effects = resolveEffects(this.#compiled.then, scope, signal);
    const asked = this.#ask();
    this.#expect();
    return this.#guarded({
      ...{ outcome: "fired", effects, changes: this.#onFiring },
      ...(asked === undefined ? {} : { asked }),
    });
  }

  /** What each choice leads to is worked out now: who answers later decides among effects, and has no part in them. */
  #ask(): Asked | undefined {
    const { ask } = this.#compiled;
    if (ask === undefined) return undefined;
    const { scope, signal } = this.#case;
    const prompt = ask.prompt(scope);
    return {
      ...{ model: ask.model, timeoutMs: ask.timeoutMs, fallback: ask.fallback },
      prompt: (typeof prompt === "string" ? prompt : JSON.stringify(prompt)).slice(0, PROMPT_CHARS),
      choices: ask.choices.map(({ name, means, then }) => ({
        ...{ name, means },
        effects: resolveEffects(then, scope, signal),
      })),
    };
  }

  #muted(): string | undefined {
    for (const mute of this.#compiled.mutes) {
      const untilMs = mute(this.#case.nowMs);
      if (untilMs !== undefined) return `muted until ${timeText(untilMs)}`;
    }
    return undefined;
  }

  #counted(): { enough: boolean; kept: StateRow } | undefined {
    const { atLeast } = this.#compiled;
    if (atLeast === undefined) return undefined;
    const { nowMs, scope } = this.#case;
    const key = keyOf(atLeast.by, scope);
    const known = this.#state.get("count", this.#rule, key)?.timesMs ?? [];
    const timesMs = [...known.filter((ms) => ms > nowMs - atLeast.withinMs), nowMs].slice(-atLeast.n);
    const body = { timesMs, untilMs: nowMs + atLeast.withinMs };
    return { enough: timesMs.length >= atLeast.n, kept: { kind: "count", rule: this.#rule, key, body } };
  }

  #cooling(): string | undefined {
    const { cooldownMs } = this.#compiled;
    return cooldownMs === undefined ? undefined : this.#once("cooldown", cooldownMs, "cooling down since");
  }

  #repeated(): string | undefined {
    const { oncePer } = this.#compiled;
    if (oncePer === undefined) return undefined;
    return this.#once(`=${keyOf(oncePer.by, this.#case.scope)}`, oncePer.withinMs, "once already, by");
  }

  #once(key: string, withinMs: number, words: string): string | undefined {
    const { nowMs, origin } = this.#case;
    const known = this.#state.get("once", this.#rule, key);
    const body = { by: origin.id, untilMs: nowMs + withinMs };
    this.#onFiring.push({ kind: "once", rule: this.#rule, key, body });
    if (known === undefined || nowMs >= known.untilMs) return undefined;
    return `${words} ${known.by}, until ${timeText(known.untilMs)}`;
  }

  #inFlight(): string | undefined {
    const { flight } = this.#compiled;
    if (flight === undefined) return undefined;
    const { nowMs, origin, scope } = this.#case;
    const key = keyOf(flight.by, scope);
    const known = this.#state.get("flight", this.#rule, key);
    const body = { startedBy: origin.id, untilMs: nowMs + flight.atMostMs };
    this.#onFiring.push({ kind: "flight", rule: this.#rule, key, body });
    return known === undefined || nowMs >= known.untilMs ? undefined : `in flight since ${known.startedBy}`;
  }

  #like(): { reason: string; effects: Effect[] } | undefined {
    const { likeness, rule } = this.#compiled;
    if (likeness === undefined || rule.near_duplicate === undefined) return undefined;
    const { nowMs, origin, scope, signal } = this.#case;
    const text = likeness.text(scope);
    if (typeof text !== "string") throw new Error(`near_duplicate compares texts, not ${JSON.stringify(text)}`);
    const by = keyOf(likeness.by, scope);
    const name = likeness.name === undefined ? origin.id : keyOf(likeness.name, scope);
    const sketch = sketchText(text);
    const body = { by, name, sketch, untilMs: nowMs + likeness.withinMs };
    this.#onFiring.push({ kind: "text", rule: rule.id, key: String(signal.seq), body });
    if (likeness.override?.(scope) === true) return undefined;
    const found = this.#mostLike(sketch, by);
    if (found === undefined || found.similarity < rule.near_duplicate.threshold) return undefined;
    const duplicate = { of: found.name, similarity: Math.round(found.similarity * 1_000) / 1_000 };
    const effects = resolveEffects(likeness.else, { ...scope, duplicate }, signal);
    return { reason: `like ${duplicate.of}: ${duplicate.similarity}`, effects };
  }

  #mostLike(sketch: TextSketch, by: string): { name: string; similarity: number } | undefined {
    let best: { name: string; similarity: number } | undefined;
    for (const [, known] of this.#state.of("text", this.#rule)) {
      if (known.by !== by || this.#case.nowMs >= known.untilMs) continue;
      const similarity = resemblance(sketch, known.sketch);
      if (similarity <= (best?.similarity ?? 0) || differInSubject(sketch, known.sketch)) continue;
      best = { name: known.name, similarity };
    }
    return best;
  }

  #expect(): void {
    const { expect } = this.#compiled;
    if (expect === undefined) return;
    const { nowMs, origin, scope, signal } = this.#case;
    const key = keyOf(expect.by, scope);
    if (expect.lookbackMs !== undefined) {
      const answer = this.#state.get("answer", this.#rule, key);
      if (answer !== undefined && nowMs - answer.atMs <= expect.lookbackMs) {
        // One answer answers once.
        this.#onFiring.push({ kind: "answer", rule: this.#rule, key, body: null });
        return;
      }
    }
    // The time runs from the first: asked again and again, what never comes would never be too late.
    if (this.#state.get("expected", this.#rule, key) !== undefined) return;
    const late = resolveEffects(expect.else, scope, signal);
    const body = { since: origin, sinceMs: nowMs, dueMs: nowMs + expect.withinMs, else: late };
    this.#onFiring.push({ kind: "expected", rule: this.#rule, key, body });
  }

  /** Ends chains of causes that only a loop makes so long, and rules that fire as only a loop makes them. */
  #guarded(finding: Finding): Finding {
    const { origin } = this.#case;
    if (finding.outcome === "suppressed" && finding.effects.length === 0) return finding;
    const depth = origin.depth ?? 0;
    if (depth >= LIMITS.causalDepth) {
      const reason = `cut off: the chain of causes above ${origin.id} is ${depth} signals long`;
      return { outcome: "failed", reason, effects: [], changes: [], cut: "depth" };
    }
    const { n } = this.#compiled.rate;
    const { body, row } = this.#rated();
    if (body.fired < n) return { ...finding, changes: [...finding.changes, row({ fired: body.fired + 1 })] };
    const reason = `cut off: it fires more than ${n} times in ${this.#compiled.rule.rate.per}; give it a rate if it is to`;
    // As many letters as firings tell what there is to tell. A storm must not become one of dead letters.
    if (body.cut >= n) return { outcome: "suppressed", reason, effects: [], changes: [], cut: "rate", quiet: true };
    return { outcome: "failed", reason, effects: [], changes: [row({ cut: body.cut + 1 })], cut: "rate" };
  }

  /** How often the rule has fired in the present window. */
  #rated() {
    const { nowMs } = this.#case;
    const known = this.#state.get("rate", this.#rule, "");
    const fresh = { sinceMs: nowMs, fired: 0, cut: 0, untilMs: nowMs + this.#compiled.rate.perMs };
    const body = known === undefined || nowMs >= known.untilMs ? fresh : known;
    const row = (change: Partial<typeof body>): StateRow => ({
      ...{ kind: "rate", rule: this.#rule, key: "" },
      body: { ...body, ...change },
    });
    return { body, row };
  }
}

const suppressed = (reason: string, changes: readonly Change[] = []): Finding => ({
  ...{ outcome: "suppressed", reason, effects: [], changes },
});

function memoryOf(compiled: CompiledRule, scope: Scope, state: RuleState) {
  if (compiled.remember.length === 0) return undefined;
  const key = keyOf(compiled.rememberBy, scope);
  return { key, values: state.get("memory", compiled.rule.id, key)?.values ?? {} };
}

function remember({ rule, remember: fields }: CompiledRule, key: string, scope: Scope, nowMs: number): StateRow {
  const values = valuesOf(fields, scope);
  if (JSON.stringify(values).length > MEMORY_CHARS) {
    throw new Error(`what the rule remembers takes more than ${MEMORY_CHARS} characters`);
  }
  return { kind: "memory", rule: rule.id, key, body: { values, untilMs: nowMs + MEMORY_MS } };
}

function apply(change: Change, state: RuleState): void {
  if (change.body === null) state.delete(change.kind, change.rule, change.key);
  else state.set(change);
}

const timeText = (ms: number) => new Date(ms).toISOString();
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
