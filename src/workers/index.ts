import { answer } from "./answer.ts";
import type { Environment } from "./bindings/environment.ts";
import { consume } from "./consumer.ts";
import { everyMinute } from "./cron.ts";
import { consumeRounds, isRoundsQueue } from "./rounds/rounds-queue.ts";

export { Directory } from "../durable-objects/access/object.ts";
export { AuditLog } from "../durable-objects/audit/object.ts";
export { DeadLetters } from "../durable-objects/dead-letters/object.ts";
export { WorkerBoard } from "../durable-objects/file-tasks/object.ts";
export { AgentRegistry } from "../durable-objects/hosts/object.ts";
export { IdempotencyKeys } from "../durable-objects/idempotency/object.ts";
export { Intelligence } from "../durable-objects/intelligence/object.ts";
export { ObservationCache } from "../durable-objects/introspection/object.ts";
export { Limits } from "../durable-objects/limits/object.ts";
export { LinkRelay } from "../durable-objects/links/object.ts";
export { Locks } from "../durable-objects/locks/object.ts";
export { Models } from "../durable-objects/models/object.ts";
export { Notes } from "../durable-objects/notes/object.ts";
export { PolicyState } from "../durable-objects/policy/object.ts";
export { Questions } from "../durable-objects/questions/object.ts";
export { QueueLobby } from "../durable-objects/queue/lobby.ts";
export { PriorityQueue } from "../durable-objects/queue/object.ts";
export { Schedules } from "../durable-objects/schedules/object.ts";
export { SignalLog } from "../durable-objects/signals/object.ts";
export { Telemetry } from "../durable-objects/telemetry/object.ts";
export { Webhooks } from "../durable-objects/webhooks/object.ts";

export default {
  fetch: answer,
  queue: (batch, env) => (isRoundsQueue(batch.queue) ? consumeRounds(batch, env, Date.now()) : consume(batch, env)),
  scheduled: (controller, env) => everyMinute(env, controller.scheduledTime),
} satisfies ExportedHandler<Environment>;
