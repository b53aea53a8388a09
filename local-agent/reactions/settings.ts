import * as z from "zod";
import { compileExpression } from "../../src/core/policy/expression.ts";
import { SignalName } from "../../src/core/signals/signal.ts";
import type { HostSettings } from "../feature/feature.ts";
import { BUILT_IN_DEFAULTS, BuiltInRun } from "./built-ins/all-built-ins.ts";
import { CommandSettings } from "./command-settings.ts";

const PATTERN = "give a signal's name in which * stands for any characters, such as Q_*_FAILED, or a list of them";
const Pattern = z.string(PATTERN).regex(/^!?[A-Za-z0-9_.:*-]{1,128}$/, PATTERN);
const Patterns = z.union([Pattern.transform((one) => [one]), z.array(Pattern).min(1, PATTERN).max(64)], PATTERN);

/** A CEL expression over `signal`, `id`, `source` and `facts`. */
const Condition = z.string().check((context) => {
  try {
    compileExpression(context.value, "condition");
  } catch (error) {
    const message = `the condition is not valid: ${(error as Error).message}`;
    context.issues.push({ code: "custom", input: context.value, message });
  }
});

const QueuePlace = z.strictObject({
  queue: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, "give the name of a queue"),
  /** Recipient of the tasks; `*` for any. */
  recipient: z.string().min(1).max(256),
});

const Retry = z.strictObject({
  /** Failed attempts after which the run is dead-lettered. */
  attempts: z.int().min(1).max(1_000).default(1),
  /** Pause before the second attempt; doubles with each attempt. */
  backoff_ms: z.int().min(1).max(86_400_000).default(1_000),
  backoff_max_ms: z.int().min(1).max(86_400_000).default(60_000),
  /** What becomes of a run that a crash or stop of the agent interrupted: repeat it, or report it as failed. */
  on_crash: z.enum(["retry", "report"], "give retry or report").default("retry"),
});

const ReactionSettings = z
  .strictObject({
    enabled: z.boolean().default(true),
    /** Signals to react to; default: those of the built-in. */
    when: Patterns.optional(),
    where: Condition.optional(),
    /** Instead of `when`: takes tasks of a queue, each on one of the hosts that do so. */
    on: QueuePlace.optional(),
    run: z.union([CommandSettings, BuiltInRun], {
      error: (issue) => (typeof issue.input === "object" ? undefined : "give {command: …} or {built_in: …}"),
    }),
    timeout_ms: z.int().min(1).max(604_800_000).default(600_000),
    concurrency: z.int().min(1).max(64).default(1),
    retry: Retry.prefault({}),
    /** `null`: no signal is emitted. */
    emits: z
      .strictObject({ completed: SignalName.nullable().optional(), failed: SignalName.nullable().optional() })
      .default({}),
    /** Facts of the signal that are copied into the signals of the reaction. */
    pass_on: z.array(z.string().min(1)).max(64).default([]),
    /** Shortest time between two Q_REACTION_PROGRESS with a line of output; default: none are emitted. */
    progress_ms: z.int().min(100).optional(),
  })
  .check(({ value, issues }) => {
    const wrong = (path: string, message: string) =>
      issues.push({ code: "custom", input: value, path: [path], message });
    const own = "built_in" in value.run ? BUILT_IN_DEFAULTS[value.run.built_in] : undefined;
    if (value.when !== undefined && value.on !== undefined)
      wrong("on", "give when (signals) or on (a queue), not both");
    if (value.when === undefined && value.on === undefined && own?.when === undefined && own?.on === undefined)
      wrong("when", "when is required: give the signals to react to, such as when: Q_BUILD_BROKEN");
    if (value.where !== undefined && (value.on ?? (value.when === undefined ? own?.on : undefined)) !== undefined)
      wrong("where", "where applies to signals only: remove it, and choose tasks when they are enqueued");
  });
export type ReactionSettings = z.infer<typeof ReactionSettings>;

/** The section `reactions` of the agent's configuration: reactions by their names. Absent: none. */
export const ReactionsSettings = z.record(
  z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a reaction's name holds a-z, 0-9 and -, 63 at most"),
  ReactionSettings,
);
export type ReactionsSettings = z.infer<typeof ReactionsSettings>;

export interface ReactionsFeatureOptions extends HostSettings {
  readonly reactions?: ReactionsSettings | undefined;
}
