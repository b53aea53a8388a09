import type { Logger } from "../../base/log.ts";
import type { Attempt, Outcome } from "../reaction.ts";

/** What a built-in does where its settings say nothing. */
export interface BuiltInDefaults {
  readonly when?: readonly string[];
  readonly on?: { readonly queue: string; readonly recipient: string };
  /** `completed` is for those alone that end with one signal. */
  readonly completed: string | null;
  readonly failed: string | null;
  readonly passOn: readonly string[];
}

export interface BuiltInContext {
  readonly name: string;
  readonly timeoutMs: number;
  readonly progressMs: number | undefined;
  /** Signal that tells of success, where it is one that can be chosen. */
  readonly completed: string | null;
  readonly failed: string | null;
  readonly passOn: readonly string[];
  /** Relative paths of the settings start here. */
  readonly baseDir: string;
  readonly now: () => number;
  readonly log: Logger;
}

export type Perform = (attempt: Attempt) => Promise<Outcome>;
