import { isJsonObject } from "../../src/core/json/is-json-object.ts";
import { pruneDeep } from "../../src/core/json/prune-deep.ts";
import type { LeasedTask } from "../../src/core/queue/api.ts";
import { TASK_ID } from "../../src/core/queue/task-input.ts";
import { IDENTIFIER, type Signal } from "../../src/core/signals/signal.ts";

/**
 * Input of a run that a task started. A task whose payload is a signal is a reaction to that signal. Any other task is
 * given the form of a signal, so that a command reads the same input wherever its work comes from.
 */
export function inputOfTask(task: LeasedTask, nowText: string): Signal {
  const { payload, task_id: id, type, sender, cause, trace, depth } = task;
  if (isRunInput(payload, IDENTIFIER)) return payload;
  return {
    seq: 0,
    id,
    signal: type,
    source: sender ?? "queue",
    ecosystem: "",
    timestamp: nowText,
    received_at: nowText,
    facts: isJsonObject(payload) ? payload : { payload },
    ...(cause !== undefined && { cause }),
    ...(trace !== undefined && { trace }),
    ...(depth !== undefined && { depth }),
  };
}

/**
 * Reads the input of a run from the journal.
 *
 * @throws SyntaxError or TypeError for a text that is not the input of a run
 */
function readRunInput(text: string): Signal {
  const input: unknown = JSON.parse(text);
  if (!isRunInput(input, TASK_ID)) throw new TypeError(`The input of a run is not a signal: ${text.slice(0, 100)}`);
  return pruneDeep(input);
}

/**
 * The input of a run. One that cannot be read, from a damaged row, becomes a signal without facts and with the reason: the
 * run then fails, and neither the other runs nor the start of the agent.
 */
export function inputOf(run: { readonly cause: string; readonly input: string }): {
  readonly signal: Signal;
  readonly unreadable?: string;
} {
  try {
    return { signal: readRunInput(run.input) };
  } catch (error) {
    const rest = { source: "journal", ecosystem: "", timestamp: "", received_at: "", facts: {} };
    return {
      signal: { seq: 0, id: run.cause, signal: "UNREADABLE", ...rest },
      unreadable: `the input of the run cannot be read: ${(error as Error).message}`,
    };
  }
}

/**
 * Checks the fields on which reactions depend: a payload may lack those that only the log gives, such as `seq`.
 *
 * @param ids - what the id may be: that of a signal, or that of a task, which may hold `/`
 */
function isRunInput(value: unknown, ids: RegExp): value is Signal {
  if (!isJsonObject(value)) return false;
  const { id, signal, source, facts } = value;
  return (
    typeof signal === "string" &&
    typeof source === "string" &&
    isJsonObject(facts) &&
    typeof id === "string" &&
    ids.test(id)
  );
}
