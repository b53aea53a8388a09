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

  /** Runs all checks at once. @returns the first problem in the order of registration, or `undefined` */
  async check(): Promise<HealthProblem | undefined> {
    const problems = await Promise.all([...this.#checks].map((check) => check()));
    return problems.find((problem) => problem !== undefined);
  }
}
