import { faultsByItem, type ItemFaults } from "../../core/json/item-faults.ts";
import { limitsAround } from "../../core/json/limits.ts";
import { readFaultyJson } from "../../core/json/read-json.ts";
import type { FieldError } from "../../core/problem/field-error.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import { readPlainFrame } from "../../core/queue/plain-frame.ts";
import { MAX_TASKS, taskErrors } from "../../core/queue/task-input.ts";
import { MAX_FRAME_BYTES, MAX_READABLE_BYTES, WorkerFrame } from "../../core/queue/work-frames.ts";
import { exceedsBytes } from "../../core/signals/limits.ts";
import { type FrameName, nameOf, typeOf } from "./frame-name.ts";

/** A frame, or a whole message, that the queue refuses. */
export interface RefusedFrame extends FrameName {
  /** Only of a call: its caller waits for a reply. */
  readonly correlationId?: string;
  readonly problem: Problem;
}

export interface ReceivedFrames {
  readonly frames: readonly (WorkerFrame | RefusedFrame)[];
  /** Whether the message was an array of frames. */
  readonly isArray: boolean;
}

const SEND_SMALLER = "Send smaller messages: at most 1 MiB and 1,000 frames each.";

/** Frames are in a list; each has an object, a list of tasks and a task of its own. */
const LIMITS_OF_MESSAGE = limitsAround(4);

/**
 * Reads a message of a worker: one frame, or an array of frames. What would not be kept as it was sent refuses the task
 * or the result in which it is, and nothing beside it.
 */
export function readMessage(message: string | ArrayBuffer): ReceivedFrames {
  if (typeof message !== "string") return refusal(problem("binary-frame", 415, "Frames are JSON text"));
  const tooLarge = exceedsBytes(message, MAX_FRAME_BYTES);
  if (tooLarge && exceedsBytes(message, MAX_READABLE_BYTES))
    return refusal(problem("too-large", 413, "The message is larger than 1 MiB", SEND_SMALLER));
  const reading = readFaultyJson(message, LIMITS_OF_MESSAGE);
  if (!reading.ok) return refusal(problem("malformed-json", 400, "The message is not JSON", reading.malformed));
  const { value: document, faults } = reading;
  const isArray = Array.isArray(document);
  if (tooLarge || (isArray && document.length > MAX_TASKS))
    return { frames: overfull(isArray ? document : [document], tooLarge), isArray };
  const wrong = faults && faultsByItem(faults(), isArray ? /^\/\d+(\/tasks\/\d+)?/ : /^\/tasks\/\d+/);
  if (!isArray) return { frames: readFrame(document, "", wrong), isArray };
  return { frames: document.flatMap((each, place) => readFrame(each, `/${place}`, wrong)), isArray };
}

/**
 * The frames of a message that holds too much: what the worker has room for is taken, because nothing would tell the
 * worker to send it again, and the other frames are refused by their names.
 */
function overfull(documents: readonly unknown[], tooLarge: boolean): (WorkerFrame | RefusedFrame)[] {
  const title = tooLarge ? "The message is larger than 1 MiB" : `A message may hold ${MAX_TASKS} frames`;
  const wrong = problem("too-large", 413, title, SEND_SMALLER);
  const frames: (WorkerFrame | RefusedFrame)[] = [];
  let refused = 0;
  for (const document of documents) {
    if (typeOf(document) === "ready" && frames.length < 2 * MAX_TASKS)
      frames.push(...readFrame(document, "", undefined));
    else if (++refused <= MAX_TASKS) frames.push({ ...nameOf(document), problem: wrong });
  }
  if (refused <= MAX_TASKS) return frames;
  const detail = `${refused - MAX_TASKS} more frames of the message were refused. ${SEND_SMALLER}`;
  return [...frames, { batch: null, problem: problem("too-large", 413, title, detail) }];
}

/**
 * @param at - JSON pointer of the frame in its message
 * @param faults - of the whole message
 */
function readFrame(document: unknown, at: string, faults: ItemFaults | undefined): (WorkerFrame | RefusedFrame)[] {
  const plain = readPlainFrame(document);
  const parsed = plain === undefined ? WorkerFrame.safeParse(document) : { success: true as const, data: plain };
  if (!parsed.success) {
    return [refusedFrame(document, FRAME_INVALID, taskErrors(parsed.error.issues, "").slice(0, 100))];
  }
  const frame = parsed.data;
  if (faults === undefined) return [frame];
  const errors = (place: string) =>
    (faults.get(at + place) ?? []).map(({ pointer, message }) => ({ pointer: pointer.slice(at.length), message }));
  switch (frame.type) {
    case "enqueue": {
      const wrong = frame.tasks.flatMap((_, place) => errors(`/tasks/${place}`)).slice(0, 100);
      return [wrong.length === 0 ? frame : refusedFrame(frame, TASKS_INVALID, wrong)];
    }
    case "call": {
      const wrong = errors("");
      return [wrong.length === 0 ? frame : refusedFrame(frame, FRAME_INVALID, wrong)];
    }
    case "complete":
      return withoutFaulty(frame, errors);
    default:
      return [frame];
  }
}

/** A worker that is refused a result would run its task again, to the same result: the task fails for good instead. */
function withoutFaulty(
  frame: Extract<WorkerFrame, { type: "complete" }>,
  errors: (place: string) => FieldError[],
): WorkerFrame[] {
  const good: typeof frame.tasks = [];
  const failed: Extract<WorkerFrame, { type: "fail" }>["tasks"] = [];
  frame.tasks.forEach((task, place) => {
    const [first] = errors(`/tasks/${place}`);
    if (first === undefined) good.push(task);
    else {
      const { task_id, lease_id } = task;
      const error = `the result is refused: ${first.pointer.slice(`/tasks/${place}`.length)}: ${first.message}`;
      failed.push({ task_id, lease_id, error: error.slice(0, 4_096), retry: false });
    }
  });
  return [
    ...(good.length > 0 ? [{ ...frame, tasks: good }] : []),
    ...(failed.length > 0 ? [{ type: "fail" as const, tasks: failed }] : []),
  ];
}

const FRAME_INVALID = "The frame is not a valid frame of ganglion.work.v1";
const TASKS_INVALID = "Some tasks are invalid; none was queued";

function refusedFrame(document: unknown, title: string, errors: readonly FieldError[]): RefusedFrame {
  const kind = title === TASKS_INVALID ? "invalid-task" : "invalid-frame";
  return { ...nameOf(document), problem: problem(kind, 422, title, undefined, { errors }) };
}

const refusal = (wrong: Problem): ReceivedFrames => ({ frames: [{ batch: null, problem: wrong }], isArray: false });
