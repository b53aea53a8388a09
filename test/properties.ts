import * as all from "fast-check";

/** Everything of fast-check, with an {@link assert} that can run fewer cases. */
export * from "fast-check";

/** A property runs at least this often, unless its test asks for fewer runs. */
const FEWEST = 20;

/** The part of the runs that tests ask for: `GANGLION_RUNS`, 0.1 in `npm run check`; default: all. */
const PART = Number(process.env.GANGLION_RUNS ?? 1);

/**
 * As in fast-check.
 *
 * @public by way of fast-check.ts, as its default export
 */
export function assert<Case>(property: all.IProperty<Case>, parameters?: all.Parameters<Case>): void;
export function assert<Case>(property: all.IAsyncProperty<Case>, parameters?: all.Parameters<Case>): Promise<void>;
export function assert(
  property: all.IRawProperty<unknown>,
  parameters: all.Parameters<unknown> = {},
): Promise<void> | void {
  return all.assert(property, { ...parameters, numRuns: partOf(parameters.numRuns ?? 100) });
}

function partOf(runs: number): number {
  return Math.max(Math.ceil(runs * PART), Math.min(runs, FEWEST));
}
