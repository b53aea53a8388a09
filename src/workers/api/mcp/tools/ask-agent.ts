import * as z from "zod";
import { CallReply } from "../../../../core/queue/api.ts";
import { CallInput, QUEUE_NAME, QUEUE_RULE } from "../../../../core/queue/task-input.ts";
import { EdgeRefusal, path } from "../edge-calls.ts";
import { taskOfQuestion } from "../tasks.ts";
import { defineTool, type ToolContent } from "../tool.ts";

/** How long one call of the tool waits: below the time after which clients give a call up. */
const WAIT_MS = 25_000;
/** A reply that comes so soon needs no task. */
const TASK_AFTER_MS = 2_000;
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
  run: async ({ queue, ...call }, edge, { mayBeTask }) => {
    const correlation_id = call.correlation_id ?? `mcp-${crypto.randomUUID()}`;
    const reply = edge({ method: "POST", path: path`/queues/${queue}/calls`, body: { ...call, correlation_id } }).then(
      ({ content }): ToolContent => ({ content: { ...content, status: "complete" } }),
    );
    // The question is a stored task: it goes on while nobody waits for its reply.
    if (mayBeTask) {
      const early = await within(reply, TASK_AFTER_MS);
      if (early !== undefined) return early;
      const task = await taskOfQuestion(edge, queue, correlation_id).catch(notReadable);
      if (task !== undefined) return { task };
    }
    const waited = await within(reply, mayBeTask ? WAIT_MS - TASK_AFTER_MS : WAIT_MS);
    return waited ?? { content: { correlation_id, status: "pending" } };
  },
});

/** The queue does not exist before somebody works for it, or the token may not read tasks: the client waits as others do. */
function notReadable(error: unknown): undefined {
  if (!(error instanceof EdgeRefusal)) throw error;
}

/** What `promise` gives within a time; `undefined`: nothing yet. */
async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return Promise.race([promise, over]).finally(() => clearTimeout(timer));
}
