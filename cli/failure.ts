import { ApiProblem, EdgeUnreachable, UnreadableAnswer } from "../src/client/http/problem-errors.ts";
import { fileTrouble } from "./file-trouble.ts";

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
  // An answer that went through the edge: a host's or a responder's.
  if (isShapeError(error)) return { text: explainShape(error), exitCode: 1 };
  if (isFileTrouble(error)) return { text: fileTrouble(error.path, error), exitCode: 1 };
  return { text: error instanceof Error ? `${error.name}: ${error.message}` : String(error), exitCode: 1 };
}

interface ShapeError {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

/** By its name: zod is loaded only by commands that need it. */
const isShapeError = (error: unknown): error is Error & ShapeError =>
  error instanceof Error && /^\$?Zod(Real)?Error$/.test(error.name) && "issues" in error;

function explainShape({ issues: [first] }: ShapeError): string {
  const where =
    first === undefined || first.path.length === 0 ? "as a whole" : `at /${first.path.map(String).join("/")}`;
  return `the answer has another shape than this command expects, ${where}: ${first?.message ?? "unknown"}; use the same version of Ganglion on the host and here`;
}

const isFileTrouble = (error: unknown): error is NodeJS.ErrnoException & { readonly path: string } =>
  error instanceof Error && "syscall" in error && "path" in error && typeof error.path === "string";

function explainProblem({ message, problem }: ApiProblem): string {
  const errors = problem.errors ?? [];
  if (problem.status === 401) {
    return "the edge did not accept the token: give a valid one with GANGLION_TOKEN or --token-file (the local edge's own is in .ganglion/token)";
  }
  if (problem.status === 403 && typeof problem.scope === "string") {
    return `${message} Ask an administrator for one: \`ganglion tokens create <name> --scope ${problem.scope}\``;
  }
  // The message holds a single error already.
  return errors.length < 2
    ? message
    : [problem.title, ...errors.map(({ pointer, message }) => `  ${pointer || "/"}: ${message}`)].join("\n");
}
