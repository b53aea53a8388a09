import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import type { ProfileVariable } from "../../core/deployment/profile.ts";
import type { QuotaVariables } from "../../core/quotas/token-quotas.ts";
import type { ErasableObject } from "../shell/object-erasure.ts";
import type { Namespace } from "../shell/ports.ts";
import type { ProjectionCalls } from "../shell/projection-ports.ts";
import type { ErasureBindings } from "./erasure-objects.ts";
import type { RegistryCalls } from "./hosts.ts";
import type { CallsOfRelay } from "./relay-calls.ts";

/** Bindings that the log uses. */
export interface SignalLogBindings extends ErasureBindings, ProfileVariable, QuotaVariables {
  readonly OBSERVATION_CACHE: Namespace<ProjectionCalls & ErasableObject>;
  readonly POLICY_STATE: Namespace<ProjectionCalls & ErasableObject>;
  readonly WORKER_BOARD: Namespace<ProjectionCalls & ErasableObject>;
  readonly AGENT_REGISTRY: Namespace<RegistryCalls & ErasableObject>;
  readonly DEAD_LETTERS: Namespace<ErasableObject & { record(records: readonly DeadLetterRecord[]): Promise<void> }>;
  readonly LINK_RELAY: Namespace<CallsOfRelay>;
  readonly DIRECTORY: Namespace<{
    queues(ecosystem: string): Promise<readonly { readonly name: string }[]>;
    touch(ecosystem: string, nowMs: number): Promise<void>;
    reportDamage(store: { readonly object: string; readonly name: string }, nowMs: number): Promise<void>;
  }>;
  readonly SIGNALS: Queue;
  /** Days that signals are kept; default 7. */
  readonly RETENTION_DAYS?: string;
  /** Gigabytes (10^9 bytes) beyond which the oldest signals are dropped before that; default 8. */
  readonly LOG_MAX_GB?: string;
  /** Links of an ecosystem from which on new ones go to relays, or `off`; default 50. */
  readonly LINK_RELAY_LINKS?: string;
  /** How often a quiet WebSocket stream is sent something; default 0, never: each time wakes the object, which is billed. */
  readonly STREAM_KEEPALIVE_SECONDS?: string;
}
