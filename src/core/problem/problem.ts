import * as z from "zod";
import { FieldError } from "./field-error.ts";

/**
 * Problem details for HTTP APIs (RFC 9457), the body of every error that Ganglion answers with. `type` is the stable name of
 * the kind of problem, a path below the API's own `/problems/`; `detail` says what is wrong this time and what to do about
 * it, and never holds a secret.
 */
export const Problem = z.looseObject({
  type: z.string().meta({ example: "/problems/invalid-signal" }),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  errors: z.array(FieldError).readonly().optional(),
});
export type Problem = Readonly<z.infer<typeof Problem>>;

export const PROBLEM_TYPE = "application/problem+json";

/**
 * @param kind - stable, in words joined by dashes, such as `invalid-signal`
 * @param status - HTTP status code
 */
export function problem(
  kind: string,
  status: number,
  title: string,
  detail?: string,
  members: Record<string, unknown> = {},
): Problem {
  return { type: `/problems/${kind}`, title, status, ...(detail === undefined ? {} : { detail }), ...members };
}
