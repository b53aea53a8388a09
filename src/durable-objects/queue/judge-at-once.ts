import { judgeByRule } from "../../core/policy/accept-rule.ts";
import type { Accept, Judgement, ProvedWork } from "../../core/queue/accept.ts";
import type { Entry } from "../../core/queue/entry.ts";
import { asJson } from "./queue-signals.ts";

/** Judges a task by its rule; `undefined`: it has none, and others judge it. */
export function judgeAtOnce(
  queue: string,
  payload: () => string,
  { taskId, recipient, type, sender, priority, attempt, proof }: Entry,
  { rule }: Accept,
  { resultJson, evidenceJson }: ProvedWork,
): Judgement | undefined {
  if (rule === undefined) return undefined;
  const task = {
    queue,
    task_id: taskId,
    recipient,
    type,
    sender,
    priority,
    attempt,
    worker: proof?.worker ?? null,
    payload: asJson(payload()),
  };
  const result = resultJson === null ? null : asJson(resultJson);
  const evidence = evidenceJson === null ? null : asJson(evidenceJson);
  return judgeByRule(rule, { task, result, evidence }, proof?.sinceMs ?? 0);
}
