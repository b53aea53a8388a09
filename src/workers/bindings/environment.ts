import type { Directory } from "../../durable-objects/access/object.ts";
import type { AuditLog } from "../../durable-objects/audit/object.ts";
import type { DeadLetters } from "../../durable-objects/dead-letters/object.ts";
import type { ReplayBindings } from "../../durable-objects/dead-letters/replay.ts";
import type { BoardBindings, WorkerBoard } from "../../durable-objects/file-tasks/object.ts";
import type { AgentRegistry } from "../../durable-objects/hosts/object.ts";
import type { HostsBindings } from "../../durable-objects/hosts/ports.ts";
import type { IdempotencyKeys } from "../../durable-objects/idempotency/object.ts";
import type { Intelligence } from "../../durable-objects/intelligence/object.ts";
import type { IntrospectionBindings, ObservationCache } from "../../durable-objects/introspection/object.ts";
import type { Limits } from "../../durable-objects/limits/object.ts";
import type { LimitsBindings } from "../../durable-objects/limits/ports.ts";
import type { LinkRelay, LinkRelayBindings } from "../../durable-objects/links/object.ts";
import type { Locks } from "../../durable-objects/locks/object.ts";
import type { LocksBindings } from "../../durable-objects/locks/ports.ts";
import type { Models, ModelsBindings } from "../../durable-objects/models/object.ts";
import type { Notes } from "../../durable-objects/notes/object.ts";
import type { NotesBindings } from "../../durable-objects/notes/ports.ts";
import type { PolicyBindings } from "../../durable-objects/policy/bindings.ts";
import type { PolicyState } from "../../durable-objects/policy/object.ts";
import type { Questions } from "../../durable-objects/questions/object.ts";
import type { QuestionsBindings } from "../../durable-objects/questions/ports.ts";
import type { QueueBindings } from "../../durable-objects/queue/bindings.ts";
import type { LobbyBindings, QueueLobby } from "../../durable-objects/queue/lobby.ts";
import type { PriorityQueue } from "../../durable-objects/queue/object.ts";
import type { Schedules } from "../../durable-objects/schedules/object.ts";
import type { SchedulesBindings } from "../../durable-objects/schedules/ports.ts";
import type { CallsOf, Namespace } from "../../durable-objects/shell/ports.ts";
import type { ReportBindings } from "../../durable-objects/shell/state-reports.ts";
import type { SignalLog } from "../../durable-objects/signals/object.ts";
import type { SignalLogBindings } from "../../durable-objects/signals/ports.ts";
import type { Telemetry } from "../../durable-objects/telemetry/object.ts";
import type { TelemetryBindings } from "../../durable-objects/telemetry/ports.ts";
import type { Webhooks, WebhooksBindings } from "../../durable-objects/webhooks/object.ts";

/**
 * Bindings of wrangler.toml, and the secret.
 *
 * Each object names the few calls that it needs of others in its own bindings, and imports no other object. Here they
 * meet the classes: where a class does not have a call as its caller expects the call, this does not compile.
 */
export interface Environment
  extends SignalLogBindings,
    IntrospectionBindings,
    PolicyBindings,
    BoardBindings,
    QueueBindings,
    LobbyBindings,
    HostsBindings,
    ReplayBindings,
    WebhooksBindings,
    ModelsBindings,
    TelemetryBindings,
    LinkRelayBindings,
    SchedulesBindings,
    NotesBindings,
    QuestionsBindings,
    LocksBindings,
    LimitsBindings,
    ReportBindings {
  readonly SIGNAL_LOG: Namespace<CallsOf<SignalLog>>;
  readonly OBSERVATION_CACHE: Namespace<CallsOf<ObservationCache>>;
  readonly POLICY_STATE: Namespace<CallsOf<PolicyState>>;
  readonly DEAD_LETTERS: Namespace<CallsOf<DeadLetters>>;
  /** One object for each queue, named `<ecosystem>/<queue>`. */
  readonly PRIORITY_QUEUE: Namespace<CallsOf<PriorityQueue>>;
  /** Hold links of an ecosystem that has many, named `<ecosystem>/<relay>`. */
  readonly LINK_RELAY: Namespace<CallsOf<LinkRelay>>;
  readonly QUEUE_LOBBY: Namespace<CallsOf<QueueLobby>>;
  readonly AGENT_REGISTRY: Namespace<CallsOf<AgentRegistry>>;
  /** One object for the whole deployment, named `directory`. */
  readonly DIRECTORY: Namespace<CallsOf<Directory>>;
  readonly WEBHOOKS: Namespace<CallsOf<Webhooks>>;
  readonly WORKER_BOARD: Namespace<CallsOf<WorkerBoard>>;
  /** Asks language models for rules, one for each ecosystem. */
  readonly MODELS: Namespace<CallsOf<Models>>;
  /** Roll-out and figures of those who ask about code, one for each ecosystem. */
  readonly INTELLIGENCE: Namespace<CallsOf<Intelligence>>;
  /** Exports finished work, one for each ecosystem. */
  readonly TELEMETRY: Namespace<CallsOf<Telemetry>>;
  readonly AUDIT_LOG: Namespace<CallsOf<AuditLog>>;
  readonly IDEMPOTENCY_KEYS: Namespace<CallsOf<IdempotencyKeys>>;
  /** Makes tasks and signals at their times, one for each ecosystem. */
  readonly SCHEDULES: Namespace<CallsOf<Schedules>>;
  /** Versioned facts about tasks, agents and the ecosystem, one for each ecosystem. */
  readonly NOTES: Namespace<CallsOf<Notes>>;
  /** Questions to people, one for each ecosystem. */
  readonly QUESTIONS: Namespace<CallsOf<Questions>>;
  /** Who holds which lock, and who waits; one for each ecosystem. */
  readonly LOCKS: Namespace<CallsOf<Locks>>;
  /** What may be asked of providers and by whom it is held, one for each ecosystem. */
  readonly LIMITS: Namespace<CallsOf<Limits>>;
  /** Shares of a minute's round, where it is more than one invocation may do. */
  readonly ROUNDS: Queue;
  /** The first administrator's token. Without this token every call is refused. */
  readonly ADMIN_TOKEN?: string;
  /** Limits calls without a valid token, for each network. Absent: no limit. */
  readonly FAILED_CALLERS?: RateLimit;
  /** Limits look-ups of one token in the directory. Absent: no limit. */
  readonly TOKEN_CHECKS?: RateLimit;
  /** Origins, with commas between them, whose pages may call the API from browsers; `*`: all. Default: none. */
  readonly CORS_ORIGINS?: string;
  /** `all`: of the sessions of agents, the beginnings of prompts and of what tools are given are kept. Default: nothing. */
  readonly SESSION_CONTENT?: string;
  /**
   * Hosts, with commas between them, that requests may name beside those of this machine; `*`: any. Set on the edge of one
   * machine alone: on Cloudflare a request reaches the Worker by the Worker's own names.
   */
  readonly ALLOWED_HOSTS?: string;
  /** The files that are deployed with the Worker: those of the dashboard among them. Absent on one machine. */
  readonly ASSETS?: Fetcher;
  /** The files of the dashboard by name, on one machine: there no router for files stands before the Worker. */
  readonly DASHBOARD_FILES?: Readonly<Record<string, string>>;
}
