import type { TaskAction, TaskActionAnswer } from "../../core/queue/task-action.ts";
import type { NewDelivery } from "../../core/webhooks/api.ts";
import type { WatchCalls } from "../shell/attention-nudge.ts";
import type { AppendCalls, RelayBindings } from "../shell/outbox-relay.ts";
import type { Namespace } from "../shell/ports.ts";

/** Where the messages of questions for a recipient go. */
export interface QuestionEndpoint {
  readonly id: string;
  /** The origin through which people reach the edge; `undefined`: nobody has said. */
  readonly edge: string | undefined;
}

/** Bindings that the questions use. */
export interface QuestionsBindings extends RelayBindings {
  readonly SIGNAL_LOG: Namespace<AppendCalls & WatchCalls>;
  readonly WEBHOOKS: Namespace<{
    questionEndpoints(recipients: readonly string[]): Promise<QuestionEndpoint[]>;
    deliver(deliveries: readonly NewDelivery[]): Promise<{ unknown: string[] }>;
  }>;
  readonly PRIORITY_QUEUE: Namespace<{
    applyAction(action: TaskAction): Promise<TaskActionAnswer>;
  }>;
  readonly DIRECTORY: Namespace<{
    mark(mark: "asking", ecosystem: string, marked: boolean): Promise<void>;
    touch(ecosystem: string, nowMs: number): Promise<void>;
  }>;
}
