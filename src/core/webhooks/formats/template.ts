import { isJsonObject } from "../../json/is-json-object.ts";
import { compileExpression, type Expression } from "../../policy/expression.ts";
import { isSignal } from "../../signals/signal-line.ts";
import { JSON_BODY, type RenderedMessage, type WebhookContent } from "./message.ts";
import { noticeOf } from "./notice.ts";

/**
 * Compiles the template of an endpoint: an expression in CEL whose value is the body, a text as it is and anything else as
 * JSON. It reads what rules read of a signal, `message` (id, type, timestamp, data, endpoint, rule, cause), and `notice`
 * (title, text, severity, state, key, link, source, time), which is what the formats for people say.
 *
 * @throws ExpressionError
 */
export const compileTemplate = (source: string): Expression => compileExpression(source, "any", { names: "message" });

/** @throws ExpressionError or WorkExceeded where the template cannot be evaluated on this message */
export function renderTemplate(template: Expression, content: WebhookContent): RenderedMessage {
  const { id, type, timestamp, data, ecosystem, endpoint, rule = "", cause = "" } = content;
  const { details: _, link = "", ...notice } = noticeOf(content);
  const signal = isSignal(data) ? data : undefined;
  const value = template({
    signal: signal?.signal ?? "",
    id: signal?.id ?? "",
    source: signal?.source ?? "",
    facts: signal?.facts ?? (isJsonObject(data) ? { ...data } : {}),
    ecosystem,
    now: new Date(timestamp),
    state: {},
    message: { id, type, timestamp, data, endpoint, rule, cause },
    notice: { ...notice, link },
  });
  return typeof value === "string"
    ? { contentType: "text/plain; charset=utf-8", body: value }
    : { contentType: JSON_BODY, body: JSON.stringify(value) };
}
