import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type EdgeUnderTest, type ReachedEdge, startProcess } from "../edge-under-test.ts";
import { type Contestant, type FigureName, type Results, type Sizes, WORKS, type Work } from "./works.ts";

/** An edge that knows a work does it in a few seconds: one that does not know it may leave frames without an answer. */
const LONGEST_MS = 60_000;
const MAIN = join("local-edge", "main.ts");
const MODULES = "node_modules";

/**
 * @param directory - as it was given; npm runs the bench in the project, so that it is taken from where npm was called
 * @returns the whole path
 * @throws a text that says what a checkout there lacks
 */
export function checkoutAt(directory: string): string {
  const checkout = resolve(process.env.INIT_CWD ?? "", directory);
  if (!existsSync(join(checkout, MAIN)))
    throw new Error(`--before: ${checkout} is no checkout of the project, it has no ${MAIN}`);
  if (!existsSync(join(checkout, MODULES)))
    throw new Error(`--before: ${checkout} has no ${MODULES}; run npm ci there first`);
  return checkout;
}

/** The edge of another checkout does what it can of the works. */
export async function startBefore(checkout: string): Promise<Contestant & Pick<PossibleWorks, "leftOut">> {
  const name = "before";
  const edge = await startEdgeOf(checkout);
  const possible = new PossibleWorks(edge, name);
  return { name, run: (sizes) => possible.run(sizes), stop: edge.stop, leftOut: possible.leftOut };
}

/** The edge of another checkout, on a directory that is thrown away, run by the code and the Node that are installed there. */
function startEdgeOf(checkout: string): Promise<EdgeUnderTest> {
  const modules = join(checkout, MODULES);
  const pinned = join(modules, ".bin", "node");
  return startProcess((state) => ({
    main: join(checkout, MAIN),
    ...(existsSync(pinned) && { node: pinned }),
    env: {
      GANGLION_PORT: "0",
      GANGLION_STATE_DIR: state,
      PATH: `${join(modules, ".bin")}:${process.env.PATH ?? ""}`,
      // Not in the cache of this project, and not in that of the other, which is only read.
      NODE_COMPILE_CACHE: join(state, "compiled"),
    },
  }));
}

/** The works that an edge of another version can do: what it fails at once is not tried again. */
export class PossibleWorks {
  /** Why it does not do the work of a figure. */
  readonly leftOut = new Map<FigureName, string>();
  readonly #target: ReachedEdge;
  readonly #name: string;
  readonly #works: readonly Work[];
  readonly #longestMs: number;

  constructor(target: ReachedEdge, name: string, works: readonly Work[] = WORKS, longestMs: number = LONGEST_MS) {
    this.#target = target;
    this.#name = name;
    this.#works = works;
    this.#longestMs = longestMs;
  }

  async run(sizes: Sizes): Promise<Results> {
    let results: Results = {};
    for (const work of this.#works) {
      if (work.figures.some((figure) => this.leftOut.has(figure))) continue;
      try {
        results = { ...results, ...(await this.#try(work, sizes)) };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        console.error(`  ${this.#name} is left out of ${work.figures.join(", ")}: ${reason}`);
        for (const figure of work.figures) this.leftOut.set(figure, reason);
      }
    }
    return results;
  }

  async #try(work: Work, sizes: Sizes): Promise<Results> {
    // What a work that fails has opened must not take part in the next one.
    const ended = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${this.#longestMs / 1_000} s`)), this.#longestMs);
    });
    try {
      return await Promise.race([work.run({ ...this.#target, until: ended.signal }, sizes), tooLate]);
    } finally {
      clearTimeout(timer);
      ended.abort();
    }
  }
}
