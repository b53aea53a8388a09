import type { Directory } from "../durable-objects/access/object.ts";
import type { DeadLetters } from "../durable-objects/dead-letters/object.ts";
import type { WorkerBoard } from "../durable-objects/file-tasks/object.ts";
import type { AgentRegistry } from "../durable-objects/hosts/object.ts";
import type { ObservationCache } from "../durable-objects/introspection/object.ts";
import type { Models } from "../durable-objects/models/object.ts";
import type { AiBinding } from "../durable-objects/models/workers-ai.ts";
import type { PolicyState } from "../durable-objects/policy/object.ts";
import type { PriorityQueue } from "../durable-objects/queue/object.ts";
import type { SignalLog } from "../durable-objects/signals/object.ts";
import type { Webhooks } from "../durable-objects/webhooks/object.ts";

/** Bindings of wrangler.toml, and the secret. */
export interface Environment {
  readonly SIGNAL_LOG: DurableObjectNamespace<SignalLog>;
  readonly OBSERVATION_CACHE: DurableObjectNamespace<ObservationCache>;
  readonly POLICY_STATE: DurableObjectNamespace<PolicyState>;
  readonly DEAD_LETTERS: DurableObjectNamespace<DeadLetters>;
  /** One object for each queue, named `<ecosystem>/<queue>`. */
  readonly PRIORITY_QUEUE: DurableObjectNamespace<PriorityQueue>;
  readonly AGENT_REGISTRY: DurableObjectNamespace<AgentRegistry>;
  readonly DIRECTORY: DurableObjectNamespace<Directory>;
  readonly WEBHOOKS: DurableObjectNamespace<Webhooks>;
  readonly WORKER_BOARD: DurableObjectNamespace<WorkerBoard>;
  /** Asks language models for rules, one for each ecosystem. */
  readonly MODELS: DurableObjectNamespace<Models>;
  /** Workers AI, where the deployment has it. */
  readonly AI?: AiBinding;
  readonly SIGNALS: Queue;
  /** Shares of a minute's round, where it is more than one invocation may do. */
  readonly ROUNDS: Queue;
  /** Days that signals are kept; default 7. */
  readonly RETENTION_DAYS?: string;
  /** `true`: webhooks may go to http: URLs and to addresses of private networks. Default: they may not. */
  readonly WEBHOOKS_ALLOW_PRIVATE?: string;
  /** The first administrator's token. Without it nobody gets in. */
  readonly ADMIN_TOKEN?: string;
}
