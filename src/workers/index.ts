import type { Environment } from "../durable-objects/environment.ts";
import { app } from "./app.ts";
import { consume } from "./consumer.ts";
import { nudgeLagging } from "./monitors/nudge-lagging.ts";

export { DeadLetters } from "../durable-objects/dead-letters.ts";
export { Directory } from "../durable-objects/directory.ts";
export { ObservationCache } from "../durable-objects/observation-cache.ts";
export { PolicyState } from "../durable-objects/policy-state.ts";
export { PriorityQueue } from "../durable-objects/priority-queue.ts";
export { SignalLog } from "../durable-objects/signal-log.ts";

export default {
  fetch: app.fetch,
  queue: (batch, env) => consume(batch, env),
  scheduled: (controller, env) => nudgeLagging(env, controller.scheduledTime),
} satisfies ExportedHandler<Environment>;
