import type { FallbackReason } from "./context.ts";

export type Outcome = "success" | "timeout" | "error" | "fallback";

/** Nobody could be asked: it was nobody's failure to answer. */
const UNASKED: readonly FallbackReason[] = ["no_client", "connection_failed", "no_responder", "breaker_open"];
/** Nobody was to be asked. */
const NOT_WANTED: readonly FallbackReason[] = ["live_off", "not_in_share"];

/** What became of a request to live hosts; `undefined`: there was to be none. */
export function outcomeOf(reason: FallbackReason | null): Outcome | undefined {
  if (reason === null) return "success";
  if (NOT_WANTED.includes(reason)) return undefined;
  if (reason === "timeout") return "timeout";
  return UNASKED.includes(reason) ? "fallback" : "error";
}
