import type { Rule } from "./rule.ts";
import type { Origin } from "./state.ts";

/** A rule before it has a version. */
export type RuleBody = Omit<Rule, "version">;

/** A rule in force, and where it comes from. */
export interface Policy extends Rule {
  /** It is one of the pack that every ecosystem starts with. */
  readonly built_in: boolean;
  /** It is one of the pack, and was changed here; deleting it brings back the pack's. */
  readonly modified: boolean;
  readonly changed_at: string;
  /** Name of the token that changed it last; `null`: it came with Ganglion. */
  readonly changed_by: string | null;
}

/** A version that a rule has had. */
export interface PolicyVersion {
  readonly version: number;
  readonly changed_at: string;
  readonly changed_by: string | null;
  /** It decided on the signals after this place of the log. */
  readonly after_seq: number;
  /** `null`: the rule was deleted. */
  readonly rule: Rule | null;
}

/** What is wanted of one rule; `null`: that it be gone, which brings a rule of the pack back as it was. */
export interface RuleChange {
  readonly id: string;
  readonly rule: RuleBody | null;
  /** Only if this version is in force; 0: only if there is none. */
  readonly expected?: number | undefined;
}

/** What changing rules came to. Nothing has changed where it is not `ok`. */
export type ChangeAnswer =
  | {
      readonly ok: true;
      readonly created: readonly string[];
      readonly changed: readonly string[];
      readonly unchanged: readonly string[];
      readonly deleted: readonly string[];
      /** The rules decide on the signals after this place of the log. */
      readonly after_seq: number;
    }
  | { readonly ok: false; readonly conflict: { readonly id: string; readonly version: number } }
  | { readonly ok: false; readonly too_many: number }
  /** There is no such rule to be deleted, or it is the pack's own. */
  | { readonly ok: false; readonly kept: "unknown" | "built_in" };

/** Something that is waited for (R24). */
export interface Expectation {
  readonly rule: string;
  /** The value of `by`. */
  readonly by: string;
  /** Names or patterns of the signal that is waited for. */
  readonly signal: readonly string[];
  readonly since: string;
  /** An answer that the log takes after this is too late. */
  readonly due: string;
  /** The signal that began it. */
  readonly cause: Pick<Origin, "seq" | "id" | "signal">;
}

export interface ExpectationPage {
  readonly expectations: readonly Expectation[];
  readonly total: number;
  readonly next: string | null;
}
