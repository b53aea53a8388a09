import { isJsonObject } from "../../../core/json/is-json-object.ts";
import { CHECKS_QUEUE, checkWaits } from "../../../core/queue/accept.ts";
import type { Environment } from "../../bindings/environment.ts";
import { findQueue } from "./existing-queue.ts";

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
  const queue = await findQueue(env, ecosystem, CHECKS_QUEUE);
  const hosts = queue === undefined ? 0 : ((await queue.status()).workers[check] ?? 0);
  return JSON.stringify({ ...task, verifying: { ...task.verifying, why: checkWaits(check, hosts) } });
}
