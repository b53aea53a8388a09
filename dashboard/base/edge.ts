import { signal } from "@preact/signals";
import { ApiProblem, EdgeUnreachable } from "../../src/client/http/problem-errors.ts";
import { type CallEdge, type Connection, request } from "../../src/client/http/request.ts";

/** How the page stands with its edge. */
export const connection = signal<"connecting" | "online" | "offline" | "signed-out">("connecting");

/** What every group of calls of the client is made from. */
export interface Edge {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** The browser's session is the token. */
const server: Connection = { url: location.origin, token: null, fetch: (...args) => fetch(...args) };

const call: CallEdge = async (answer, asked) => {
  try {
    const value = await request(server, answer, asked);
    connection.value = "online";
    return value;
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
