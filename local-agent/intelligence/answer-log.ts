import type { RequestEvent } from "../../src/core/intelligence/envelope.ts";
import type { Logger } from "../base/log.ts";

export type AnswerOutcome = "completed" | "failed" | "refused";
/** A request of which the payload may be unreadable. */
export type AnsweredRequest = Omit<RequestEvent, "payload"> & Partial<Pick<RequestEvent, "payload">>;

/**
 * A line for each answer: failures by default, all with `log.level: debug`. Who asked, as far as the request says it, with
 * the correlation id unless `tracking` is off.
 */
export function answerLog(log: Logger, tracking: boolean) {
  return (operation: string, outcome: AnswerOutcome, ms: number, request?: AnsweredRequest): void => {
    const { project_id, user_id, environment } = request?.payload ?? {};
    const fields = {
      operation: operation.slice(0, 64),
      outcome,
      ms: Math.round(ms),
      ...(tracking && request?.correlationId !== undefined && { correlation_id: request.correlationId }),
      ...(project_id != null && { project_id: project_id.slice(0, 128) }),
      ...(user_id != null && { user_id: user_id.slice(0, 128) }),
      ...(environment != null && { environment: environment.slice(0, 128) }),
    };
    log[outcome === "completed" ? "debug" : "info"](fields, "intelligence: a request was answered");
  };
}
