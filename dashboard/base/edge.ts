import { signal } from "@preact/signals";
import type * as z from "zod";
import { type Call, type Connection, exchange } from "../../src/client/http/exchange.ts";
import { ApiProblem, EdgeUnreachable } from "../../src/client/http/problem-errors.ts";
import type { CallEdge } from "../../src/client/http/request.ts";

/** How the page stands with its edge. */
export const connection = signal<"connecting" | "online" | "offline" | "signed-out">("connecting");

/** What every group of calls of the client is made from. */
export interface Edge {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** The browser's session is the token. */
const server: Connection = { url: location.origin, token: null, fetch: (...args) => fetch(...args) };

/**
 * Answers are taken as the edge gives them: they come from where the page itself came from, and the schemas that would check
 * them again stay out of the page (local-edge/trusted-answers.ts). Only that an answer is a document is checked.
 */
const call: CallEdge = async <Schema extends z.ZodType>(_: Schema, asked: Call) => {
  try {
    const answer = await exchange(server, asked);
    connection.value = "online";
    if (typeof answer !== "object" && answer !== undefined) throw new TypeError(`${asked.path} answers no document`);
    return answer as z.output<Schema>;
  } catch (error) {
    if (error instanceof EdgeUnreachable) connection.value = "offline";
    else if (error instanceof ApiProblem) connection.value = error.problem.status === 401 ? "signed-out" : "online";
    throw error;
  }
};

/** Calls inside an ecosystem. */
export function edgeOf(ecosystem: string): Edge {
  return { call, inside: (path) => `/v1/${encodeURIComponent(ecosystem)}${path}` };
}

export const callEdge = call;
