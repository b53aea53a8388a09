import type { ProcessLife, ProcessName } from "../../core/hosts/process-life.ts";
import type { RelayBindings } from "../shell/outbox-relay.ts";
import type { Namespace } from "../shell/ports.ts";

/** Bindings that the locks use. */
export interface LocksBindings extends RelayBindings {
  readonly AGENT_REGISTRY: Namespace<{ processLives(asked: readonly ProcessName[]): Promise<ProcessLife[]> }>;
  readonly DIRECTORY: Namespace<{ mark(mark: "locking", ecosystem: string, marked: boolean): Promise<void> }>;
}
