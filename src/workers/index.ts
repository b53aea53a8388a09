import type { Environment } from "../durable-objects/environment.ts";
import { app } from "./app.ts";
import { consume } from "./consumer.ts";
import { everyMinute } from "./monitors/every-minute.ts";
import { consumeRounds, ROUNDS_QUEUE } from "./monitors/rounds-queue.ts";

export { AgentRegistry } from "../durable-objects/agent-registry.ts";
export { DeadLetters } from "../durable-objects/dead-letters.ts";
export { Directory } from "../durable-objects/directory.ts";
export { Models } from "../durable-objects/models.ts";
export { ObservationCache } from "../durable-objects/observation-cache.ts";
export { PolicyState } from "../durable-objects/policy-state.ts";
export { PriorityQueue } from "../durable-objects/priority-queue.ts";
export { SignalLog } from "../durable-objects/signal-log.ts";
export { Webhooks } from "../durable-objects/webhooks.ts";
export { WorkerBoard } from "../durable-objects/worker-board.ts";

export default {
  fetch: app.fetch,
  queue: (batch, env) => (batch.queue === ROUNDS_QUEUE ? consumeRounds(batch, env, Date.now()) : consume(batch, env)),
  scheduled: (controller, env) => everyMinute(env, controller.scheduledTime),
} satisfies ExportedHandler<Environment>;
