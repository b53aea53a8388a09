import type { RelayBindings } from "../shell/outbox-relay.ts";
import type { Namespace } from "../shell/ports.ts";

/** Bindings that the notes use. */
export interface NotesBindings extends RelayBindings {
  readonly PRIORITY_QUEUE: Namespace<{ handNotes(): Promise<void> }>;
  readonly DIRECTORY: Namespace<{
    mark(mark: "noting", ecosystem: string, marked: boolean): Promise<void>;
    queues(ecosystem: string): Promise<{ name: string }[]>;
  }>;
}
