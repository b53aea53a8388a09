import type { LogStretch, ProjectionName } from "../../core/projection/batch.ts";
import type { EffectBindings } from "./effect-relay.ts";
import type { ReachedLog } from "./followed-log.ts";
import type { AppendCalls, RelayBindings } from "./outbox-relay.ts";
import type { Namespace } from "./ports.ts";

/** Calls that a projection makes of the log. */
export interface LogCalls extends AppendCalls {
  stretch(projection: ProjectionName, after: number, limit: number, patterns?: readonly string[]): Promise<LogStretch>;
  causes(id: string, limit: number): Promise<string[]>;
  reached(): Promise<ReachedLog>;
}

/** Bindings of an object with a projection. */
export interface ProjectionEnvironment extends RelayBindings, EffectBindings {
  readonly SIGNAL_LOG: Namespace<LogCalls>;
}
