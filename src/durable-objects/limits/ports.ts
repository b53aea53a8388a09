import type { ClosedLimits } from "../../core/limits/closed-limits.ts";
import type { RelayBindings } from "../shell/outbox-relay.ts";
import type { Namespace } from "../shell/ports.ts";

/** Bindings that the limits use. */
export interface LimitsBindings extends RelayBindings {
  readonly PRIORITY_QUEUE: Namespace<{ closeLimits(table: ClosedLimits): Promise<boolean> }>;
  readonly DIRECTORY: Namespace<{ mark(mark: "limiting", ecosystem: string, marked: boolean): Promise<void> }>;
}
