import * as z from "zod";
import { traceOf } from "../signals/trace.ts";
import { ATTRIBUTE, OPERATION, SPAN_NAME } from "./attributes.ts";
import { exported, MAX_ERROR_CHARS } from "./payload.ts";
import { KIND, type Payload, type Span } from "./span.ts";
import { namedSpan, placeOf } from "./span-ids.ts";

/** A call of a tool that has ended. Times are milliseconds since the epoch. */
export const ToolCall = z.object({
  /** Of the call alone: nobody else has one of the same id. */
  id: z.string().min(1).max(128),
  /** One of the tools of this edge. */
  tool: z.string().max(128),
  /** Traceparent of the caller. */
  trace: z.string().max(64).optional(),
  /** Name of the token. */
  caller: z.string().max(256),
  revision: z.string().max(64).optional(),
  startMs: z.number(),
  endMs: z.number(),
  /** The type of the problem, where the call was refused or failed. */
  error: z.string().max(128).optional(),
  detail: z.string().optional(),
  /** JSON, as far as it may leave. */
  input: z.string().optional(),
  output: z.string().optional(),
});
export type ToolCall = Readonly<z.infer<typeof ToolCall>>;

/** Calls that are handed over together. */
export interface ToolCalls {
  readonly calls: readonly ToolCall[];
  /** How much of payloads the calls hold. */
  readonly payload: Payload;
  /** Calls that were given up since the hand-over before. */
  readonly dropped: number;
}

const keyOf = (id: string): string => `tools/call:${id}`;

/** The traceparent of what a call does: signals, tasks and calls of agents stand below its span. */
export const traceOfCall = (id: string, trace: string | undefined): string => {
  const { traceId } = placeOf(trace, keyOf(id));
  return traceOf(keyOf(id), { id, trace: `00-${traceId}-${"0".repeat(16)}-01` });
};

/** A call without what may not leave. */
export function writeToolCall(
  call: Omit<ToolCall, "input" | "output">,
  { args, result }: { readonly args: unknown; readonly result: unknown },
  payload: Payload,
): ToolCall {
  const { detail, ...plain } = call;
  if (payload === "none") return plain;
  const json = (value: unknown) => (value === undefined ? undefined : exported(JSON.stringify(value), payload));
  return {
    ...plain,
    ...(payload === "all" && detail !== undefined ? { detail: detail.slice(0, MAX_ERROR_CHARS) } : {}),
    input: json(args),
    output: json(result),
  };
}

/** @param mayLeave - whether what the call holds of arguments and result may leave now */
export function toolCallSpan(call: ToolCall, mayLeave: boolean): Span {
  const { id, tool, trace, error } = call;
  const place = placeOf(trace, keyOf(id));
  return {
    traceId: place.traceId,
    spanId: namedSpan(keyOf(id)),
    parentSpanId: place.spanId,
    name: SPAN_NAME.toolCall(tool),
    kind: KIND.server,
    startMs: call.startMs,
    endMs: call.endMs,
    attributes: {
      [ATTRIBUTE.mcpMethod]: "tools/call",
      [ATTRIBUTE.mcpRevision]: call.revision,
      [ATTRIBUTE.operation]: OPERATION.tool,
      [ATTRIBUTE.tool]: tool,
      [ATTRIBUTE.caller]: call.caller,
      [ATTRIBUTE.errorType]: error,
    },
    failed: error === undefined ? undefined : { message: mayLeave ? call.detail : undefined },
    observation: {
      type: "tool",
      traceName: SPAN_NAME.toolCall(tool),
      tags: [`tool:${tool}`],
      ...(mayLeave ? { input: call.input, output: call.output } : {}),
    },
  };
}
