/** A reason why the agent cannot take in signals. */
export interface HealthProblem {
  /** In words for people. */
  readonly reason: string;
  /** `false`: a new process would have the same problem, and the processes that the agent supervises would end with it. */
  readonly restartHelps: boolean;
}
