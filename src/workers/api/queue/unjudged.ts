import { isJsonObject } from "../../../core/json/is-json-object.ts";
import { type Accept, CHECKS_QUEUE, checkWaits } from "../../../core/queue/accept.ts";
import type { QueueStatus } from "../../../core/queue/api.ts";
import { unjudgedBy } from "../../../core/queue/queue-trouble.ts";
import type { Environment } from "../../bindings/environment.ts";
import { findQueue } from "./existing-queue.ts";

/** How many connected hosts have each check; a check that is not named is one that none has. */
type CheckHosts = Readonly<Record<string, number>>;

async function checkHosts(env: Environment, ecosystem: string): Promise<CheckHosts> {
  const queue = await findQueue(env, ecosystem, CHECKS_QUEUE);
  return queue === undefined ? {} : (await queue.status()).workers;
}

/**
 * Says of a task that waits for a check whether any host could run it. Of any other task nothing is read.
 *
 * @param text - the task as JSON, and so is the answer
 */
export async function withCheck(env: Environment, ecosystem: string, text: string): Promise<string> {
  if (!text.includes(`"status":"verifying"`)) return text;
  const task: unknown = JSON.parse(text);
  if (!isJsonObject(task) || !isJsonObject(task.verifying) || !isJsonObject(task.accept)) return text;
  const { check } = task.accept;
  if (typeof check !== "string") return text;
  const hosts = await checkHosts(env, ecosystem);
  return JSON.stringify({ ...task, verifying: { ...task.verifying, why: checkWaits(check, hosts[check] ?? 0) } });
}

/** As {@link withCheck}, of a list, whatever it is long with one call at most. */
export async function withChecks<
  Task extends { readonly accept?: Accept | undefined; readonly verifying?: { readonly why: string } | undefined },
>(env: Environment, ecosystem: string, tasks: readonly Task[]): Promise<readonly Task[]> {
  const waits = ({ accept, verifying }: Task) => accept?.check !== undefined && verifying !== undefined;
  if (!tasks.some(waits)) return tasks;
  const hosts = await checkHosts(env, ecosystem);
  return tasks.map((task) => {
    const { accept: { check } = {}, verifying } = task;
    if (check === undefined || verifying === undefined) return task;
    return { ...task, verifying: { ...verifying, why: checkWaits(check, hosts[check] ?? 0) } };
  });
}

/** The status of a queue, with what its tasks wait for that wait for checks. */
export async function statusWithChecks(env: Environment, ecosystem: string, status: QueueStatus): Promise<QueueStatus> {
  const { unjudged } = status;
  if (unjudged?.some(({ accept }) => accept.check !== undefined) !== true) return status;
  return { ...status, unjudged: unjudgedBy(unjudged, await checkHosts(env, ecosystem)) };
}
