import type { LinkReport } from "../../core/hosts/api.ts";
import type { GatherAfter, HostAnswers } from "../../core/hosts/links.ts";
import type { EnqueueAnswer } from "../../core/queue/api.ts";
import type { NewTask } from "../../core/queue/task.ts";
import type { ReadPage, ReadQuery } from "../../core/signals/api.ts";
import type { AppendCalls, RelayBindings } from "../shell/outbox-relay.ts";
import type { Namespace } from "../shell/ports.ts";

/** Calls that the registry makes of the log. */
export interface HostsLog extends AppendCalls {
  read(query: ReadQuery): Promise<ReadPage>;
  links(): Promise<LinkReport>;
  gather(monitors: readonly string[], timeoutMs: number, after?: GatherAfter, roundMs?: number): Promise<HostAnswers>;
}

/** Bindings that the registry uses. */
export interface HostsBindings extends RelayBindings {
  readonly SIGNAL_LOG: Namespace<HostsLog>;
  readonly PRIORITY_QUEUE: Namespace<{
    addressee(recipient: string): Promise<{ readonly open: number; readonly waits: boolean }>;
    enqueue(tasks: readonly NewTask[]): Promise<EnqueueAnswer>;
  }>;
  readonly DIRECTORY: Namespace<{ watch(ecosystem: string, watched: boolean): Promise<void> }>;
}
