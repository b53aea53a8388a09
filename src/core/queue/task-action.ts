import type { Judgement } from "./accept.ts";
import type { QueueOverloaded, TaskState } from "./api.ts";
import type { AwaitedAnswer } from "./awaited-answer.ts";
import type { ParkWish } from "./parking.ts";

/** An action on one task, by the worker that holds the task or by an operator. */
export type TaskAction = {
  /** Recipients whose tasks the caller may act on; absent: all. */
  readonly recipients?: readonly string[] | undefined;
} & TaskStep;

type TaskStep =
  | {
      readonly action: "complete";
      readonly taskId: string;
      readonly leaseId: string;
      readonly resultJson: string | null;
      /** What the worker says beside the result, for a task that must prove that it is done. */
      readonly evidenceJson?: string | null;
    }
  /** A task that waits to be judged is. @param proof - the judgement that it waits for */
  | { readonly action: "judge"; readonly taskId: string; readonly proof: string; readonly judgement: Judgement }
  | {
      readonly action: "fail";
      readonly taskId: string;
      readonly leaseId: string;
      readonly error: string;
      readonly retry: boolean;
    }
  | { readonly action: "extend"; readonly taskId: string; readonly leaseId: string; readonly leaseMs: number }
  /** The worker leaves the task until what it waits for comes. */
  | { readonly action: "park"; readonly taskId: string; readonly leaseId: string; readonly wish: ParkWish }
  /** A question is over that the task may wait for. */
  | { readonly action: "answer"; readonly taskId: string; readonly answer: AwaitedAnswer }
  | { readonly action: "release"; readonly taskId: string; readonly leaseId: string }
  /** The recipient of a message has read it, or done what it asked for. */
  | { readonly action: "read"; readonly taskId: string; readonly worker: string }
  | { readonly action: "act"; readonly taskId: string; readonly worker: string; readonly resultJson: string | null }
  | { readonly action: "cancel"; readonly taskId: string }
  | { readonly action: "retry"; readonly taskId: string };

export type TaskActionAnswer =
  | TaskState
  | { readonly conflict: "lost" | "finished" | "unknown" | "unfinished" | "full" }
  | ForeignTask
  | QueueOverloaded;

/** The caller may not act on tasks of this recipient. */
export interface ForeignTask {
  readonly foreign: string;
}
