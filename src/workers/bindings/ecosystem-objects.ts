import type { Environment } from "./environment.ts";
import {
  agentRegistry,
  auditLog,
  deadLetters,
  idempotencyKeys,
  intelligence,
  limits,
  locks,
  models,
  notes,
  observationCache,
  policyState,
  questions,
  queueLobby,
  schedules,
  signalLog,
  telemetry,
  webhooks,
  workerBoard,
} from "./objects.ts";

/**
 * The objects that every ecosystem has, by the names of their classes. Beside them are its queues, which the directory
 * lists. What is copied, deleted and metered follows from here.
 */
export const ecosystemObjects = (env: Environment, ecosystem: string) => ({
  SignalLog: signalLog(env, ecosystem),
  ObservationCache: observationCache(env, ecosystem),
  PolicyState: policyState(env, ecosystem),
  WorkerBoard: workerBoard(env, ecosystem),
  AgentRegistry: agentRegistry(env, ecosystem),
  Webhooks: webhooks(env, ecosystem),
  DeadLetters: deadLetters(env, ecosystem),
  Models: models(env, ecosystem),
  Intelligence: intelligence(env, ecosystem),
  AuditLog: auditLog(env, ecosystem),
  Telemetry: telemetry(env, ecosystem),
  IdempotencyKeys: idempotencyKeys(env, ecosystem),
  QueueLobby: queueLobby(env, ecosystem),
  Schedules: schedules(env, ecosystem),
  Notes: notes(env, ecosystem),
  Questions: questions(env, ecosystem),
  Locks: locks(env, ecosystem),
  Limits: limits(env, ecosystem),
});
