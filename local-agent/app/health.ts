import type { HealthProblem } from "../base/health-problem.ts";

export type HealthCheck = () => Promise<HealthProblem | undefined>;

/** The health checks of the agent and of its features. */
export class Health {
  readonly #checks = new Set<HealthCheck>();

  /** @returns a function that removes the check */
  add(check: HealthCheck): () => void {
    this.#checks.add(check);
    return () => this.#checks.delete(check);
  }

  /**
   * Runs all checks at once. A check that throws is a problem of its own, and hides none of the others.
   *
   * @returns the reasons of all problems, in the order of registration; `undefined` when there is none
   */
  async check(): Promise<HealthProblem | undefined> {
    const problems = (await Promise.all([...this.#checks].map(problemOf))).filter((problem) => problem !== undefined);
    const [first] = problems;
    if (first === undefined) return undefined;
    return {
      reason: problems.map(({ reason }) => reason).join("; "),
      restartHelps: problems.every(({ restartHelps }) => restartHelps),
    };
  }
}

async function problemOf(check: HealthCheck): Promise<HealthProblem | undefined> {
  try {
    return await check();
  } catch (error) {
    return { reason: `a check failed: ${error instanceof Error ? error.message : String(error)}`, restartHelps: true };
  }
}
