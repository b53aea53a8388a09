import * as z from "zod";
import { CallReply } from "../../../../core/queue/api.ts";
import { CallInput, QUEUE_NAME, QUEUE_RULE } from "../../../../core/queue/task-input.ts";
import { path } from "../edge-calls.ts";
import { defineTool, type ToolContent } from "../tool.ts";

/** How long one call of the tool waits: below the time after which clients give a call up. */
const WAIT_MS = 25_000;
const DEFAULT_TIMEOUT_MS = 120_000;

const { result, ...replyFields } = CallReply.partial().shape;
const Asked = z.object({
  ...replyFields,
  correlation_id: CallReply.shape.correlation_id,
  status: z.enum(["complete", "pending"]).meta({
    description: "pending: no reply yet. Call again with the same arguments and this correlation_id to go on waiting",
  }),
  result,
});

/** Asks another agent, and goes on waiting where an earlier call of the tool has stopped. */
export const askAgent = defineTool({
  name: "ask_agent",
  title: "Ask another agent",
  description:
    `Asks another agent and waits for its reply, ${WAIT_MS / 1_000} s at most: then \`status\` is pending, and the same call ` +
    "with the `correlation_id` goes on waiting. `timeout_ms` is how long the question stands in all.",
  operations: ["call"],
  scopes: ["tasks:write"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  args: z.strictObject({
    queue: z.string().regex(QUEUE_NAME, QUEUE_RULE).meta({ description: "Name of the queue that the agent works for" }),
    ...CallInput.shape,
    payload: z.unknown().meta({ description: "The question: any JSON" }),
    timeout_ms: CallInput.shape.timeout_ms
      .unwrap()
      .default(DEFAULT_TIMEOUT_MS)
      .meta({ description: `How long the question stands, in milliseconds; default ${DEFAULT_TIMEOUT_MS}` }),
  }),
  answer: Asked,
  run: async ({ queue, ...call }, edge) => {
    const correlation_id = call.correlation_id ?? `mcp-${crypto.randomUUID()}`;
    const reply = edge({ method: "POST", path: path`/queues/${queue}/calls`, body: { ...call, correlation_id } }).then(
      ({ content }): ToolContent => ({ content: { ...content, status: "complete" } }),
    );
    // The question is a stored task: it goes on while nobody waits for its reply.
    const pending: ToolContent = { content: { correlation_id, status: "pending" } };
    let timer: ReturnType<typeof setTimeout> | null = null;
    const over = new Promise<ToolContent>((resolve) => {
      timer = setTimeout(() => resolve(pending), WAIT_MS);
    });
    return Promise.race([reply, over]).finally(() => clearTimeout(timer));
  },
});
