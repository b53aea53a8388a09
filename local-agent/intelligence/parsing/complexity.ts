import type { SyntaxNodeRef } from "./source.ts";

/** How a grammar names what makes code branch. */
export interface BranchNames {
  /** Statements that add one to both figures, and more to the cognitive one the deeper they stand. */
  readonly nesting: ReadonlySet<string>;
  /** Statements that are counted by their cases, and make what is inside deeper. */
  readonly choices: ReadonlySet<string>;
  /** Cases, and words such as `elif`: one more way through. */
  readonly ways: ReadonlySet<string>;
  /** Words that a reader has to follow, without depth. */
  readonly flat: ReadonlySet<string>;
  /** Functions inside of functions. */
  readonly inner: ReadonlySet<string>;
  /** Whether a node continues another one, such as the second `if` of `else if`. */
  continues(node: SyntaxNodeRef): boolean;
  /** The operator of a logical expression; `undefined` for any other node. @param text - of the whole file */
  logicOf(node: SyntaxNodeRef, text: string): string | undefined;
}

export interface Counts {
  cyclomatic: number;
  cognitive: number;
}

/**
 * Counts both complexities of functions while a tree is walked: the cyclomatic one, which is the number of ways through,
 * and the cognitive one, which grows with depth.
 *
 * @see https://www.sonarsource.com/resources/cognitive-complexity/
 */
export class ComplexityCounter {
  readonly #names: BranchNames;
  readonly #text: string;
  #depth = 0;
  #deepest = 0;

  /** @param text - of the whole file */
  constructor(names: BranchNames, text: string) {
    this.#names = names;
    this.#text = text;
  }

  get deepest(): number {
    return this.#deepest;
  }

  enter(node: SyntaxNodeRef, counts: Counts): void {
    const { name } = node;
    const names = this.#names;
    if (names.nesting.has(name)) {
      counts.cyclomatic += 1;
      counts.cognitive += 1;
      if (!names.continues(node)) {
        counts.cognitive += this.#depth;
        this.#deepen();
      }
    } else if (names.choices.has(name)) {
      counts.cognitive += 1 + this.#depth;
      this.#deepen();
    } else if (names.inner.has(name)) this.#deepen();
    else if (names.ways.has(name)) counts.cyclomatic += 1;
    if (names.flat.has(name) && !names.continues(node)) counts.cognitive += 1;
    const logic = names.logicOf(node, this.#text);
    if (logic !== undefined) {
      counts.cyclomatic += 1;
      // A row of equal operators is read as one.
      const { parent } = node.node;
      if (parent === null || names.logicOf(parent, this.#text) !== logic) counts.cognitive += 1;
    }
  }

  leave(node: SyntaxNodeRef): void {
    const { name } = node;
    const { nesting, choices, inner, continues } = this.#names;
    if ((nesting.has(name) && !continues(node)) || choices.has(name) || inner.has(name)) this.#depth -= 1;
  }

  /** @returns a function that goes back to the present depth: a function that is counted by itself begins at none */
  begin(): () => void {
    const depth = this.#depth;
    this.#depth = 0;
    return () => {
      this.#depth = depth;
    };
  }

  #deepen(): void {
    this.#depth += 1;
    this.#deepest = Math.max(this.#deepest, this.#depth);
  }
}
