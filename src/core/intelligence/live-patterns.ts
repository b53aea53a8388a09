import { FailedAnswer, PatternsAnswer } from "./answer.ts";
import type { FallbackReason } from "./context.ts";
import { readAnswer } from "./envelope.ts";
import type { Pattern } from "./pattern.ts";

/** What asking live hosts came to. */
export type LiveOutcome =
  | { readonly patterns: readonly Pattern[] }
  | { readonly reason: FallbackReason; readonly message: string };

/** Reads what a responder answered to a request for patterns. @param correlationId - of the request */
export function patternsIn(result: unknown, correlationId: string): LiveOutcome {
  const answer = readAnswer(result);
  switch (answer.kind) {
    case "unreadable":
      return { reason: "unreadable_answer", message: answer.message };
    case "unknown":
      return {
        reason: "unknown_event_type",
        message: `the answer has the unknown type ${JSON.stringify(answer.type)}`,
      };
    default:
      if (answer.correlationId !== correlationId)
        return { reason: "unreadable_answer", message: "the answer belongs to another request" };
      return answer.kind === "completed" ? completed(answer.payload) : failed(answer.payload);
  }
}

function completed(payload: unknown): LiveOutcome {
  const read = PatternsAnswer.safeParse(payload);
  if (read.success) return { patterns: read.data.patterns };
  return { reason: "unreadable_answer", message: "the answer is none to a request for patterns" };
}

function failed(payload: unknown): LiveOutcome {
  const read = FailedAnswer.safeParse(payload);
  if (!read.success) return { reason: "unreadable_answer", message: "the answer says of no failure what it is" };
  return { reason: "failed_answer", message: `${read.data.error_code}: ${read.data.error_message}` };
}
