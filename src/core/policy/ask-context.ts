import * as z from "zod";
import { escapePointer } from "../problem/field-errors.ts";
import { checkedMs, Duration } from "./duration.ts";
import { Expression } from "./effect.ts";
import type { Expression as Evaluated, Scope } from "./expression.ts";
import { Patterns, RuleId } from "./names.ts";

const LONGEST_MS = 7 * 86_400_000;
const AtMost = z.int().min(1, "1 at least").max(50, "50 at most").default(10);
const Within = Duration.refine((text) => checkedMs(text) <= LONGEST_MS, { message: "give 7d at most" }).default("1h");
const MAX_NAMES = 64;

/** What a question tells the model beside its prompt. The newest things come first, and what is too much is left out. */
export const AskContext = z
  .strictObject({
    /** Earlier signals of these names. */
    signals: z
      .array(
        z.strictObject({
          of: Patterns,
          /** Only those whose facts have these values. */
          where: z.record(z.string().min(1).max(256), Expression).optional(),
          within: Within,
          at_most: AtMost,
        }),
      )
      .min(1)
      .max(4)
      .optional(),
    /** Open gaps whose names match; default: all that are open. */
    gaps: z.strictObject({ of: Expression.optional(), at_most: AtMost }).optional(),
    /** Earlier decisions of these rules. */
    decisions: z.strictObject({ of: z.array(RuleId).min(1).max(16), within: Within, at_most: AtMost }).optional(),
    /** States of the hosts whose names match. */
    hosts: z.strictObject({ of: Expression, at_most: AtMost }).optional(),
  })
  .refine((context) => Object.values(context).some((part) => part !== undefined), {
    message: "a context names signals, gaps, decisions or hosts",
  });
type AskContext = z.output<typeof AskContext>;

/** What to gather for one question: a context with the values of its signal. */
export interface WantedContext {
  readonly signals: readonly {
    readonly patterns: readonly string[];
    readonly where: Readonly<Record<string, unknown>>;
    readonly sinceMs: number;
    readonly atMost: number;
  }[];
  /** Names, in which `*` stands for any characters; `null`: all. */
  readonly gaps: { readonly names: readonly string[] | null; readonly atMost: number } | null;
  readonly decisions: { readonly rules: readonly string[]; readonly sinceMs: number; readonly atMost: number } | null;
  readonly hosts: { readonly names: readonly string[]; readonly atMost: number } | null;
}

/** @returns the values of the context for a signal that the log received at `nowMs`; throws as expressions do */
export type CompiledContext = (scope: Scope, nowMs: number) => WantedContext;

/** @param compile - compiles an expression at a pointer within the context, and collects its errors */
export function compileContext(
  { signals = [], gaps, decisions, hosts }: AskContext,
  compile: (source: string, pointer: string) => Evaluated,
): CompiledContext {
  const wanted = signals.map(({ of, where = {}, within, at_most }, place) => ({
    patterns: of,
    where: Object.entries(where).map(
      ([name, source]) => [name, compile(source, `/signals/${place}/where/${escapePointer(name)}`)] as const,
    ),
    withinMs: checkedMs(within),
    atMost: at_most,
  }));
  const gapNames = gaps?.of === undefined ? undefined : compile(gaps.of, "/gaps/of");
  const hostNames = hosts === undefined ? undefined : compile(hosts.of, "/hosts/of");
  return (scope, nowMs) => ({
    signals: wanted.map(({ patterns, where, withinMs, atMost }) => ({
      patterns,
      where: Object.fromEntries(where.map(([name, value]) => [name, value(scope)])),
      sinceMs: nowMs - withinMs,
      atMost,
    })),
    gaps:
      gaps === undefined
        ? null
        : { names: gapNames === undefined ? null : namesOf(gapNames(scope), "gaps"), atMost: gaps.at_most },
    decisions:
      decisions === undefined
        ? null
        : { rules: decisions.of, sinceMs: nowMs - checkedMs(decisions.within), atMost: decisions.at_most },
    hosts:
      hosts === undefined || hostNames === undefined
        ? null
        : { names: namesOf(hostNames(scope), "hosts"), atMost: hosts.at_most },
  });
}

/** @throws Error for anything but a text or a list of texts */
function namesOf(value: unknown, part: "gaps" | "hosts"): string[] {
  const names = typeof value === "string" ? [value] : value;
  if (Array.isArray(names) && names.length <= MAX_NAMES && names.every((name) => typeof name === "string"))
    return names as string[];
  const given = JSON.stringify(value)?.slice(0, 100);
  throw new Error(`ask.context.${part}.of gives ${given}: it must give a name, or a list of ${MAX_NAMES} at most`);
}
