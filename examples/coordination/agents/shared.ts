import { createClient } from "../../../src/client/package/index.ts";
import { openHeartbeat, type TaskHandler, work } from "../../../src/client/package/node.ts";

const {
  GANGLION_URL: url = "http://127.0.0.1:8787",
  GANGLION_TOKEN: token = "",
  GANGLION_ECOSYSTEM: ecosystem = "coordination",
  GANGLION_AGENT: agent = "agent",
  COORDINATION_PROVIDER: provider = "",
  COORDINATION_TREE: tree = "",
} = process.env;

export const QUEUE = "coordination";
export const NAME = agent;
export const TREE = tree;
export const client = createClient({ url, token, ecosystem });

/** Works on the tasks of a role until it is asked to stop: what it has begun is finished first. */
export function join(role: string, handler: TaskHandler): void {
  const heartbeat = openHeartbeat();
  heartbeat.send("idle");
  const options = { url, token, ecosystem, leaseMs: 3_000, worker: NAME };
  const worker = work(
    QUEUE,
    role,
    async (task, context) => {
      heartbeat.send("working", task.task_id);
      try {
        return await handler(task, context);
      } finally {
        heartbeat.send("idle");
      }
    },
    options,
  );
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => void worker.stop().then(() => process.exit(0)));
}

interface Answer {
  readonly text: string;
  readonly usd: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
}

/** Asks the provider, within the limit that all agents share. A 429 closes it for all; this call is made again when it opens. */
export async function ask(task: string, step: number): Promise<string> {
  for (;;) {
    const amounts = { requests: 1, usd: 0.02 };
    const text = await client.limits.with("provider", { amounts, agent: NAME, task }, async (held) => {
      const response = await fetch(provider, { method: "POST", body: JSON.stringify({ task, step }) });
      if (response.status === 429) {
        held.used({ usd: 0 });
        held.refused({
          retry_after_seconds: Number(response.headers.get("Retry-After")),
          reason: "the plan is used up",
        });
        return undefined;
      }
      if (!response.ok) throw new Error(`the provider answers ${response.status}`);
      const answer = (await response.json()) as Answer;
      const { usd, input_tokens, output_tokens } = answer;
      held.used({ usd, input_tokens, output_tokens });
      return answer.text;
    });
    if (text !== undefined) return text;
  }
}
