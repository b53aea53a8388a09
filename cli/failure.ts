import { ApiProblem, EdgeUnreachable, UnreadableAnswer } from "../src/client/http/problem-errors.ts";

/** The command cannot be carried out as it was given: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The command was tried and failed: exit code 1. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** @returns what to print on standard error, without a stack, and the exit code */
export function explain(error: unknown): { text: string; exitCode: 1 | 2 } {
  if (error instanceof UsageError) return { text: error.message, exitCode: 2 };
  if (error instanceof ApiProblem) return { text: explainProblem(error), exitCode: 1 };
  if (error instanceof Failure || error instanceof EdgeUnreachable || error instanceof UnreadableAnswer)
    return { text: error.message, exitCode: 1 };
  return { text: error instanceof Error ? `${error.name}: ${error.message}` : String(error), exitCode: 1 };
}

function explainProblem({ message, problem }: ApiProblem): string {
  const errors = problem.errors ?? [];
  if (problem.status === 401) {
    return "the edge did not accept the token: give a valid one with GANGLION_TOKEN or --token-file (the local edge's own is in .ganglion/token)";
  }
  // The message holds a single error already.
  return errors.length < 2
    ? message
    : [problem.title, ...errors.map(({ pointer, message }) => `  ${pointer || "/"}: ${message}`)].join("\n");
}
