import type { Grant } from "../../../core/access/grant.ts";
import { overQuota, quotaOf } from "../../../core/quotas/token-quotas.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, priorityQueue } from "../../bindings/objects.ts";
import { enterEcosystem } from "../http/enter-ecosystem.ts";
import { Refusal } from "../http/refusal.ts";
import { findQueue } from "./existing-queue.ts";

type Caller = Pick<Grant, "id" | "scopes" | "ecosystems">;

/**
 * The object of a queue, which begins where it does not exist yet and the token may make another one.
 *
 * @throws Refusal where the token has made as many queues as it may; no object is made then
 */
export async function beginQueue(env: Environment, ecosystem: string, queue: string, caller: Caller) {
  const existing = await findQueue(env, ecosystem, queue);
  if (existing !== undefined) return existing;
  await mayBegin(env, ecosystem, queue, caller);
  return priorityQueue(env, ecosystem, queue);
}

/** Counts a queue that does not exist yet as one of the token's. @throws Refusal as {@link beginQueue} */
export async function mayBegin(env: Environment, ecosystem: string, queue: string, caller: Caller) {
  const { id, scopes } = caller;
  if (scopes.includes("admin")) return;
  // A queue may be named with its ecosystem, which is another one than that of the call then.
  await enterEcosystem(env, ecosystem, caller);
  const limit = quotaOf("queues", env);
  if (await directory(env).admitQueue(ecosystem, queue, id, limit, Date.now())) return;
  throw new Refusal(overQuota("queues", limit));
}
