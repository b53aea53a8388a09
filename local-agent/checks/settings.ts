import * as z from "zod";
import { CHECK_NAME, CHECK_RULE } from "../../src/core/queue/accept.ts";
import type { HostSettings } from "../feature/feature.ts";
import { commandFields } from "../reactions/command-settings.ts";

const MAX_CHECKS = 32;

const Check = z.strictObject({
  ...commandFields,
  /** Time limit of a run; then its processes are ended, and the task is not accepted. */
  timeout_seconds: z.number("give seconds").min(0.1, "give seconds, from 0.1").max(86_400).default(600),
  /** Runs of this check at the same time. */
  concurrency: z.int().min(1).max(64).default(1),
  /** Variables of the agent's environment that the command gets; it gets no others but PATH, HOME and the like. */
  pass_env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a variable's name holds letters, digits and _"))
    .max(64)
    .default([]),
});
export type CheckSettings = z.output<typeof Check>;

/** The section `checks`: commands that judge tasks that were reported complete, by name. */
export const ChecksSettings = z
  .record(z.string().regex(CHECK_NAME, CHECK_RULE), Check, "give checks by name")
  .refine((checks) => Object.keys(checks).length <= MAX_CHECKS, `${MAX_CHECKS} checks at most`);
export type ChecksSettings = z.output<typeof ChecksSettings>;

export interface ChecksFeatureOptions extends HostSettings {
  readonly checks?: ChecksSettings | undefined;
}
