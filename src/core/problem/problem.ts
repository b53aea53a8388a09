import type { FieldError } from "./field-error.ts";

/** Problem details for HTTP APIs (RFC 9457), the body of every error that Ganglion answers with. */
export interface Problem {
  /** Stable name of the kind of problem: a path below the API's own `/problems/`. */
  readonly type: string;
  readonly title: string;
  /** HTTP status code. */
  readonly status: number;
  /** What is wrong this time, and what to do about it. Never holds a secret. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly [member: string]: unknown;
}

export const PROBLEM_TYPE = "application/problem+json";

/** @param kind - stable, in words joined by dashes, such as `invalid-signal` */
export function problem(
  kind: string,
  status: number,
  title: string,
  detail?: string,
  members: Record<string, unknown> = {},
): Problem {
  return { type: `/problems/${kind}`, title, status, ...(detail === undefined ? {} : { detail }), ...members };
}
