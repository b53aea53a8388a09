import * as z from "zod";
import type { Problem } from "../../src/core/problem/problem.ts";

/** The edge refused a batch because of its numbers: the producer has to go on under a new name. */
export interface NumbersRefused {
  readonly producer: string;
  /** The log holds the signals up to here as this agent sent them; `undefined`: the edge compared nothing. */
  readonly sameUpTo: number | undefined;
  /** Last number of the producer in the log. */
  readonly last: number;
}

const TYPES: ReadonlySet<string> = new Set(["/problems/producer-conflict", "/problems/producer-gap"]);
const Members = z.looseObject({ producer: z.string(), same_up_to: z.int().nullable(), last: z.int() });

/** @returns `undefined` for any other refusal */
export function readNumbersRefused(problem: Problem): NumbersRefused | undefined {
  if (!TYPES.has(problem.type)) return undefined;
  const members = Members.safeParse(problem);
  if (!members.success) return undefined;
  const { producer, same_up_to, last } = members.data;
  return { producer, sameUpTo: same_up_to ?? undefined, last };
}
