import * as z from "zod";
import { ModelName } from "../models/settings.ts";
import { AskContext, type WantedContext } from "./ask-context.ts";
import { checkedMs, Duration } from "./duration.ts";
import { type Effect, EffectSpec, Expression } from "./effect.ts";

const ChoiceName = z.string().regex(/^[A-Za-z][A-Za-z0-9 _-]{0,63}$/, {
  message: "a choice starts with a letter and holds letters, digits, spaces, _ and - (64 at most)",
});
const LONGEST_MS = 120_000;

/**
 * Asks a language model to choose. The effects of each choice are resolved when the rule fires; the model only names a
 * choice. Without a usable answer the rule continues with its fallback.
 */
export const Ask = z
  .strictObject({
    /** Name of a model in the settings. */
    model: ModelName,
    /** The question to the model. */
    prompt: Expression,
    /** What the model is told beside the prompt. */
    context: AskContext.optional(),
    timeout: Duration.refine((text) => checkedMs(text) <= LONGEST_MS, { message: "give 2m at most" }).default("20s"),
    fallback: ChoiceName,
    choices: z
      .array(
        z.strictObject({
          name: ChoiceName,
          /** Explanation of the choice; part of the prompt. */
          means: z.string().max(500).optional(),
          then: z.array(EffectSpec).max(16).default([]),
        }),
      )
      .min(2)
      .max(16),
  })
  .refine(({ choices }) => new Set(choices.map(({ name }) => name)).size === choices.length, {
    path: ["choices"],
    message: "two choices have the same name",
  })
  .refine(({ choices, fallback }) => choices.some(({ name }) => name === fallback), {
    path: ["fallback"],
    message: "the fallback must be one of the choices",
  });

/** A question with its values, and the effects of each choice. */
export interface ResolvedQuestion {
  readonly model: string;
  readonly prompt: string;
  /** Characters of the whole prompt, where the prompt was cut. */
  readonly cutFrom?: number;
  readonly context?: WantedContext;
  readonly timeoutMs: number;
  readonly fallback: string;
  readonly choices: readonly {
    readonly name: string;
    readonly means?: string | undefined;
    readonly effects: readonly Effect[];
  }[];
}
