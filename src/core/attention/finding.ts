import type { AttentionAction, AttentionItem } from "./api.ts";

/** One thing that is wrong, before what follows from the same cause is put together. */
export interface Finding {
  /** Unique in its ecosystem, and the same for as long as the matter stands. */
  readonly id: string;
  readonly kind: AttentionItem["kind"];
  readonly severity: AttentionItem["severity"];
  readonly subject: string;
  readonly what: string;
  readonly why: string;
  readonly since: string | null;
  readonly consequence: string;
  readonly next_step: string;
  readonly action: AttentionAction | null;
  /** Calls of which somebody makes one. */
  readonly choices?: readonly AttentionAction[];
  readonly chain: string | null;
  /** Ids of findings that would explain this one, the likeliest first. One that does not exist explains nothing. */
  readonly explainedBy: readonly string[];
}

/** A look at a part of an ecosystem. @param at - path below the ecosystem */
export const look = (label: string, ecosystem: string, at: string): AttentionAction => ({
  label,
  method: "GET",
  path: `/v1/${encodeURIComponent(ecosystem)}${at}`,
});
