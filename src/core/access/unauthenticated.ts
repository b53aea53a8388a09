import { problem } from "../problem/problem.ts";

/** The answer does not say which check failed, so a caller who guesses tokens learns nothing. */
export const UNAUTHENTICATED = problem(
  "unauthenticated",
  401,
  "A valid token is needed",
  "Send Authorization: Bearer <token> with a token that is valid.",
);

/** @see RFC 9110, section 11.6.1 */
export const CHALLENGE = { "WWW-Authenticate": "Bearer" } as const;
