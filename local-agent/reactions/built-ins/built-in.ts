import type { Logger } from "../../base/log.ts";
import type { KeptOutputs } from "../../base/process/kept-outputs.ts";
import type { Attempt, Outcome } from "../reaction.ts";

/** Settings of a built-in's reaction that the configuration leaves out. */
export interface BuiltInDefaults {
  readonly when?: readonly string[];
  readonly on?: { readonly queue: string; readonly recipient: string };
  /** Signal of success; `null` for a built-in that emits none, or that chooses its signals itself. */
  readonly completed: string | null;
  readonly failed: string | null;
  readonly passOn: readonly string[];
}

export interface BuiltInContext {
  readonly name: string;
  readonly timeoutMs: number;
  readonly progressMs: number | undefined;
  /** Signal of success; `null`: none. */
  readonly completed: string | null;
  readonly failed: string | null;
  readonly passOn: readonly string[];
  /** Base of relative paths in the settings. */
  readonly baseDir: string;
  readonly hostId: string;
  /** Where outputs are kept that are too large to be passed on. */
  readonly outputs: Pick<KeptOutputs, "pathOf">;
  readonly now: () => number;
  readonly log: Logger;
}

export type RunAttempt = (attempt: Attempt) => Promise<Outcome>;
