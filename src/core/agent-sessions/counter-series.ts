import * as z from "zod";

/** The last value of a counter that counts from its start on, by the combination of its attributes. */
export const SeriesState = z.object({ start_ms: z.number().nullable(), at_ms: z.number(), value: z.number() });
export type SeriesState = z.infer<typeof SeriesState>;

/** A value of a counter that counts from its start on. */
export interface Total {
  readonly startMs: number | null;
  readonly atMs: number;
  readonly value: number;
}

/**
 * What a counter has grown by since its last value. A counter that begins anew, as with a program that was started again,
 * counts from 0. A value that comes late, or twice, adds nothing: a later one holds it.
 *
 * @param before - `undefined`: nothing is known of the counter, which began with its session
 */
export function growth(
  before: SeriesState | undefined,
  { startMs, atMs, value }: Total,
): { readonly by: number; readonly after: SeriesState } {
  const after: SeriesState = { start_ms: startMs, at_ms: atMs, value };
  if (before === undefined) return { by: value, after };
  const [known, began] = [before.start_ms ?? 0, startMs ?? 0];
  // A value of the program's life before this one, whose last value was counted already or is lost.
  if (began < known) return { by: 0, after: before };
  if (began > known && before.start_ms !== null && startMs !== null) return { by: value, after };
  if (atMs <= before.at_ms) {
    const by = Math.max(0, value - before.value);
    return { by, after: { ...before, value: before.value + by } };
  }
  // Some programs begin anew and do not say so.
  if (value < before.value) return { by: value, after };
  return { by: value - before.value, after };
}
