import { type ContextInput, IntelligenceContext } from "../core/intelligence/context.ts";
import { LibraryFindings } from "../core/intelligence/library.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** What the edge knows about kinds of nodes. */
export function libraryCalls({ call, inside }: Calls) {
  return {
    /** What the edge's library says. @param nodeType - in any case */
    library: (nodeType: string, domain: string, signal?: AbortSignal) =>
      call(LibraryFindings, {
        path: inside("/intelligence/library"),
        query: { node_type: nodeType, domain },
        signal,
      }),
    /** Gathers a context at the edge, which asks the hosts. */
    context: (request: ContextInput, { timeoutMs = 5_000 }: { readonly timeoutMs?: number } = {}) =>
      call(IntelligenceContext, {
        method: "POST",
        path: inside("/intelligence/context"),
        query: { timeout_ms: timeoutMs },
        body: request,
        timeoutMs: timeoutMs + NETWORK_MS,
      }),
  };
}

/** Added to the time-out of the HTTP request, for the network. */
const NETWORK_MS = 5_000;
