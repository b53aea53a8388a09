import { objectNamed } from "../../durable-objects/shell/ports.ts";
import type { Environment } from "./environment.ts";

/** The objects of an ecosystem, by its name. */
export const signalLog = (env: Environment, ecosystem: string) => objectNamed(env.SIGNAL_LOG, ecosystem, env);
export const observationCache = (env: Environment, ecosystem: string) =>
  objectNamed(env.OBSERVATION_CACHE, ecosystem, env);
export const policyState = (env: Environment, ecosystem: string) => objectNamed(env.POLICY_STATE, ecosystem, env);
export const deadLetters = (env: Environment, ecosystem: string) => objectNamed(env.DEAD_LETTERS, ecosystem, env);
export const webhooks = (env: Environment, ecosystem: string) => objectNamed(env.WEBHOOKS, ecosystem, env);
export const models = (env: Environment, ecosystem: string) => objectNamed(env.MODELS, ecosystem, env);
/** Exports finished work. Called only where it does, or is to: the directory knows. */
export const telemetry = (env: Environment, ecosystem: string) => objectNamed(env.TELEMETRY, ecosystem, env);
export const intelligence = (env: Environment, ecosystem: string) => objectNamed(env.INTELLIGENCE, ecosystem, env);
export const agentRegistry = (env: Environment, ecosystem: string) => objectNamed(env.AGENT_REGISTRY, ecosystem, env);
export const workerBoard = (env: Environment, ecosystem: string) => objectNamed(env.WORKER_BOARD, ecosystem, env);
export const priorityQueue = (env: Environment, ecosystem: string, queue: string) =>
  objectNamed(env.PRIORITY_QUEUE, `${ecosystem}/${queue}`, env);
/** Where workers and callers wait for queues that do not exist yet. */
export const queueLobby = (env: Environment, ecosystem: string) => objectNamed(env.QUEUE_LOBBY, ecosystem, env);
/** @param relay - a name that the log gave */
export const linkRelay = (env: Environment, ecosystem: string, relay: string) =>
  objectNamed(env.LINK_RELAY, `${ecosystem}/${relay}`, env);
/** Name of the audit log of the deployment: no ecosystem can have it. */
export const DEPLOYMENT = "*";
/** @param place - an ecosystem, or {@link DEPLOYMENT} */
export const auditLog = (env: Environment, place: string) => objectNamed(env.AUDIT_LOG, place, env);
/** @param place - an ecosystem, or {@link DEPLOYMENT} */
export const idempotencyKeys = (env: Environment, place: string) => objectNamed(env.IDEMPOTENCY_KEYS, place, env);
export const limits = (env: Environment, ecosystem: string) => objectNamed(env.LIMITS, ecosystem, env);
export const schedules = (env: Environment, ecosystem: string) => objectNamed(env.SCHEDULES, ecosystem, env);
export const notes = (env: Environment, ecosystem: string) => objectNamed(env.NOTES, ecosystem, env);
export const questions = (env: Environment, ecosystem: string) => objectNamed(env.QUESTIONS, ecosystem, env);
export const locks = (env: Environment, ecosystem: string) => objectNamed(env.LOCKS, ecosystem, env);
/** One for the whole deployment. */
export const directory = (env: Environment) => objectNamed(env.DIRECTORY, "directory", env);
