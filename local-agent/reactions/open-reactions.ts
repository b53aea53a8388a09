import { compileExpression } from "../../src/core/policy/expression.ts";
import { WorkExceeded } from "../../src/core/policy/work-budget.ts";
import { compilePatterns } from "../../src/core/signals/pattern.ts";
import type { Signal } from "../../src/core/signals/signal.ts";
import type { Logger } from "../base/log.ts";
import type { KeptOutputs } from "../base/process/kept-outputs.ts";
import { BUILT_IN_DEFAULTS, openBuiltIn } from "./built-ins/all-built-ins.ts";
import type { BuiltInContext, BuiltInDefaults } from "./built-ins/built-in.ts";
import { commandReaction } from "./built-ins/command-reaction.ts";
import { passedOn } from "./built-ins/passed-on.ts";
import type { Reaction } from "./reaction.ts";
import type { ReactionSettings, ReactionsSettings } from "./settings.ts";
import type { SignalReaction } from "./signal-reactions.ts";
import type { TaskReaction } from "./task-reactions.ts";

export interface OpenContext {
  readonly baseDir: string;
  readonly hostId: string;
  readonly outputs: Pick<KeptOutputs, "pathOf">;
  readonly now: () => number;
  readonly log: Logger;
}

/** Defaults of a command. */
const COMMAND: BuiltInDefaults = { completed: "Q_REACTION_COMPLETE", failed: "Q_REACTION_FAILED", passOn: [] };
/** The queue decides on attempts and pauses: each lease is one attempt here. */
const QUEUE_POLICY = { attempts: Number.MAX_SAFE_INTEGER, backoff_ms: 0, backoff_max_ms: 0 };

/** Makes the reactions of the settings. */
export function openReactions(
  settings: ReactionsSettings,
  context: OpenContext,
): { readonly signals: SignalReaction[]; readonly tasks: TaskReaction[] } {
  const signals: SignalReaction[] = [];
  const tasks: TaskReaction[] = [];
  for (const [name, one] of Object.entries(settings)) {
    if (!one.enabled) continue;
    const own = defaultsOf(one);
    const on = one.on ?? (one.when === undefined ? own.on : undefined);
    const reaction = open(name, one, own, context);
    if (on !== undefined) {
      const policy = { ...QUEUE_POLICY, on_crash: one.retry.on_crash };
      tasks.push({ ...reaction, ...on, policy });
      continue;
    }
    const applies = one.where === undefined ? () => true : conditionOf(one.where);
    signals.push({
      ...reaction,
      matches: compilePatterns(one.when ?? own.when ?? []),
      applies,
    });
  }
  return { signals, tasks };
}

/**
 * The condition of a reaction. One that took too many steps is not evaluated again until the settings are loaded again:
 * each signal would cost as much, and the other reactions would wait.
 */
function conditionOf(where: string): SignalReaction["applies"] {
  const condition = compileExpression(where, "condition");
  let exceeded: Error | undefined;
  return ({ signal, id, source, facts, ecosystem, received_at }) => {
    if (exceeded !== undefined) throw exceeded;
    try {
      return condition({ signal, id, source, facts, ecosystem, now: new Date(received_at), state: {} }) === true;
    } catch (error) {
      if (!(error instanceof WorkExceeded)) throw error;
      exceeded = new Error(
        `${error.message}. The condition is not evaluated again until the settings are loaded again`,
      );
      throw exceeded;
    }
  };
}

/** Patterns of the signals that these reactions need from the edge. */
export function patternsOf(settings: ReactionsSettings): string[] {
  const patterns = Object.values(settings).flatMap((one) => {
    if (!reactsToSignals(one)) return [];
    const when = one.when ?? defaultsOf(one).when ?? [];
    // An exclusion of one reaction must not hide signals from another.
    const wanted = when.filter((pattern) => !pattern.startsWith("!"));
    return wanted.length === 0 ? ["*"] : wanted;
  });
  return [...new Set(patterns)];
}

/** Names of the reactions that need them. */
export function signalReactionNames(settings: ReactionsSettings): string[] {
  return Object.entries(settings).flatMap(([name, one]) => (reactsToSignals(one) ? [name] : []));
}

function reactsToSignals(one: ReactionSettings): boolean {
  return one.enabled && one.on === undefined && (one.when !== undefined || defaultsOf(one).on === undefined);
}

function defaultsOf({ run }: ReactionSettings): BuiltInDefaults {
  return "built_in" in run ? BUILT_IN_DEFAULTS[run.built_in] : COMMAND;
}

function open(name: string, settings: ReactionSettings, own: BuiltInDefaults, context: OpenContext): Reaction {
  const { run, emits, concurrency, retry } = settings;
  const failedSignal = emits.failed === undefined ? own.failed : emits.failed;
  const passOn = [...new Set([...own.passOn, ...settings.pass_on])];
  const builtIn: BuiltInContext = {
    ...context,
    name,
    passOn,
    timeoutMs: settings.timeout_ms,
    progressMs: settings.progress_ms,
    completed: emits.completed === undefined ? own.completed : emits.completed,
    failed: failedSignal,
  };
  return {
    name,
    concurrency,
    policy: retry,
    run: "built_in" in run ? openBuiltIn(run, builtIn) : commandReaction(run, builtIn),
    failed: (signal: Signal, { error, attempts, facts }) =>
      failedSignal === null
        ? []
        : [
            {
              signal: failedSignal,
              facts: { reaction: name, trigger_id: signal.id, ...passedOn(signal, passOn), ...facts, error, attempts },
            },
          ],
  };
}
