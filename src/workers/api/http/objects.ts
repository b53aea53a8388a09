import type { Grant } from "../../../core/access/grant.ts";
import type { NewToken } from "../../../core/access/new-token.ts";
import type { Usage } from "../../../core/billing/usage.ts";
import type {
  BulkAnswer,
  BulkQuery,
  DeadLettersPage,
  DeadLettersQuery,
  ReplayAnswer,
} from "../../../core/dead-letters/api.ts";
import type { DeadLetter } from "../../../core/dead-letters/dead-letter.ts";
import type { BoardTask, BoardWorker } from "../../../core/file-tasks/board.ts";
import type { AgentView, MonitorRun } from "../../../core/hosts/agent-view.ts";
import type { MonitorSettings } from "../../../core/hosts/monitors/monitor-settings.ts";
import type { Gap } from "../../../core/introspection/gaps/gap.ts";
import type { HistoryPage, HistoryQuery } from "../../../core/introspection/history/query.ts";
import type { Maintenance, MaintenanceChange } from "../../../core/introspection/maintenance.ts";
import type { ScannerStatus } from "../../../core/introspection/scanners/scanner-status.ts";
import type { ObservationsPage } from "../../../core/introspection/window/observation.ts";
import type { ObservationSettings } from "../../../core/introspection/window/window-settings.ts";
import type { ModelSettingsAnswer, ModelSettingsView, WantedModels } from "../../../core/models/settings.ts";
import type * as policy from "../../../core/policy/api.ts";
import type { Decision, DecisionsPage, DecisionsQuery } from "../../../core/policy/decision.ts";
import type * as queue from "../../../core/queue/api.ts";
import type { QueueSettings, QueueSettingsChange } from "../../../core/queue/queue-settings.ts";
import type { NewTask } from "../../../core/queue/task.ts";
import type { AppendOutcome, AppendRequest, LogStatus, ReadPage, ReadQuery } from "../../../core/signals/api.ts";
import type { EndpointAnswer } from "../../../core/webhooks/api.ts";
import type { DeliveryStanding, DeliveryView, NewDelivery, TestOutcome } from "../../../core/webhooks/delivery.ts";
import type { Endpoint, EndpointChange, EndpointInput } from "../../../core/webhooks/endpoint.ts";
import type { EcosystemRecord, QueueRecord, TokenRecord } from "../../../durable-objects/access/object.ts";
import type { MonitorSettingsChange } from "../../../durable-objects/hosts/object.ts";
import type { Author, SettingsChange } from "../../../durable-objects/introspection/changes.ts";

/** What the API needs of the Worker's environment. */
export interface ApiBindings {
  readonly SIGNAL_LOG: DurableObjectNamespace;
  readonly OBSERVATION_CACHE: DurableObjectNamespace;
  readonly POLICY_STATE: DurableObjectNamespace;
  readonly DEAD_LETTERS: DurableObjectNamespace;
  readonly WEBHOOKS: DurableObjectNamespace;
  readonly WORKER_BOARD: DurableObjectNamespace;
  readonly PRIORITY_QUEUE: DurableObjectNamespace;
  readonly AGENT_REGISTRY: DurableObjectNamespace;
  readonly DIRECTORY: DurableObjectNamespace;
  readonly MODELS: DurableObjectNamespace;
  /** The first administrator's token. Without it nobody can be let in. */
  readonly ADMIN_TOKEN?: string;
}

/** The API's environment as Hono wants it. */
export interface ApiEnv {
  Bindings: ApiBindings;
  Variables: { grant: Grant };
}

export interface SignalLogCalls {
  append(request: AppendRequest): Promise<AppendOutcome>;
  read(query: ReadQuery): Promise<ReadPage>;
  /** JSON text of the signal, or `null`. */
  find(id: string): Promise<string | null>;
  effects(query: {
    ids: readonly string[];
    after: number;
    limit: number;
  }): Promise<{ lines: readonly string[]; through: number; head: number }>;
  status(): Promise<LogStatus>;
  closeToken(id: string): Promise<void>;
  usage(): Promise<Usage>;
  /** WebSocket upgrades: `/link?host=` and `/stream?after=&signal=`. */
  fetch(url: string, init: RequestInit): Promise<Response>;
}

export interface ObservationCacheCalls {
  observations(query: { seconds: number; reporter?: string; limit: number }): Promise<ObservationsPage>;
  history(query: HistoryQuery): Promise<HistoryPage>;
  gaps(status: "open" | "resolved" | "all"): Promise<Gap[]>;
  scanners(): Promise<ScannerStatus[]>;
  /** `null`: there is no such scanner. */
  changeScanner(id: string, change: unknown, by: Author): Promise<SettingsChange<ScannerStatus> | null>;
  settings(): Promise<ObservationSettings>;
  changeSettings(change: unknown, by: Author): Promise<SettingsChange<ObservationSettings>>;
  maintenance(): Promise<Maintenance>;
  changeMaintenance(change: MaintenanceChange, by: Author): Promise<Maintenance>;
  usage(): Promise<Usage>;
}

export interface PolicyStateCalls {
  policies(): Promise<policy.Policy[]>;
  policy(id: string): Promise<{ policy: policy.Policy | null; versions: policy.PolicyVersion[] }>;
  changePolicies(wanted: readonly policy.RuleChange[], by: Author): Promise<policy.ChangeAnswer>;
  replacePolicies(wanted: readonly policy.RuleChange[], by: Author): Promise<policy.ChangeAnswer>;
  deletePolicy(id: string, expected: number | undefined, by: Author): Promise<policy.ChangeAnswer>;
  enablePolicy(id: string, enabled: boolean, by: Author): Promise<policy.ChangeAnswer | null>;
  expectations(query: { limit: number; after?: string; rule?: string }): Promise<policy.ExpectationPage>;
  decisions(query: DecisionsQuery): Promise<DecisionsPage>;
  decisionsOn(seqs: readonly number[], limit: number): Promise<Decision[]>;
  usage(): Promise<Usage>;
}

export interface DeadLettersCalls {
  list(query: DeadLettersQuery): Promise<DeadLettersPage>;
  find(id: string): Promise<DeadLetter | null>;
  count(): Promise<number>;
  replay(id: string, mended?: unknown): Promise<ReplayAnswer>;
  replayAll(query: BulkQuery): Promise<BulkAnswer>;
  discard(id: string): Promise<boolean>;
  discardAll(query: BulkQuery): Promise<BulkAnswer>;
  about(ids: readonly string[], causes: readonly string[], limit: number): Promise<DeadLetter[]>;
  usage(): Promise<Usage>;
}

export interface WebhooksCalls {
  deliver(deliveries: readonly NewDelivery[]): Promise<{ unknown: string[] }>;
  list(): Promise<Endpoint[]>;
  put(id: string, endpoint: EndpointInput): Promise<EndpointAnswer>;
  change(id: string, change: EndpointChange): Promise<EndpointAnswer>;
  rotateSecret(id: string): Promise<EndpointAnswer>;
  remove(id: string): Promise<boolean>;
  /** `null`: there is no such endpoint. */
  ping(id: string): Promise<TestOutcome | null>;
  deliveries(endpoint: string, limit: number): Promise<DeliveryView[] | null>;
  deliveriesOf(ids: readonly string[]): Promise<DeliveryStanding[]>;
  usage(): Promise<Usage>;
}

export interface PriorityQueueCalls {
  enqueue(tasks: readonly NewTask[]): Promise<queue.EnqueueAnswer>;
  lease(query: queue.LeaseQuery): Promise<readonly string[] | queue.QueueOverloaded>;
  applyAction(action: queue.TaskAction): Promise<queue.TaskActionAnswer>;
  call(task: NewTask, timeoutMs: number, requireResponder: boolean): Promise<queue.CallAnswer>;
  callResult(correlationId: string): Promise<queue.CallAnswer | null>;
  /** JSON text of the task, or `null`. */
  task(taskId: string): Promise<string | null>;
  /** As {@link task}, those that are known. */
  tasksById(taskIds: readonly string[]): Promise<string[]>;
  tasks(query: { limit: number; after: number }): Promise<{ tasks: string[]; next: number | null }>;
  status(): Promise<queue.QueueStatus>;
  bottlenecks(limit: number): Promise<queue.Bottlenecks>;
  events(tail: number): Promise<queue.QueueEvent[]>;
  closeToken(id: string): Promise<void>;
  configure(change: QueueSettingsChange): Promise<QueueSettings | queue.QueueOverloaded>;
  usage(): Promise<Usage>;
  /** WebSocket upgrades: `/work?worker=&may_ask=`. */
  fetch(url: string, init: RequestInit): Promise<Response>;
}

export interface AgentRegistryCalls {
  agents(): Promise<AgentView[]>;
  agent(host: string): Promise<AgentView | null>;
  forget(host: string): Promise<"forgotten" | "unknown" | "here">;
  settings(): Promise<MonitorSettings>;
  configure(wanted: unknown): Promise<MonitorSettingsChange>;
  tick(): Promise<MonitorRun>;
  usage(): Promise<Usage>;
}

export interface WorkerBoardCalls {
  workers(): Promise<(BoardWorker & { running: number; overdue: number })[]>;
  /** Every drop of that id, the newest first. */
  task(worker: string, taskId: string): Promise<BoardTask[]>;
  usage(): Promise<Usage>;
}

export interface ModelsCalls {
  settings(): Promise<ModelSettingsView>;
  changeSettings(wanted: WantedModels): Promise<ModelSettingsAnswer>;
  usage(): Promise<Usage>;
}

export interface DirectoryCalls {
  create(wanted: NewToken): Promise<{ token: string; record: TokenRecord }>;
  list(): Promise<TokenRecord[]>;
  remove(id: string): Promise<TokenRecord | null>;
  watched(): Promise<string[]>;
  verify(id: string, secretDigest: ArrayBuffer): Promise<Grant | null>;
  ping(): Promise<true>;
  ecosystems(): Promise<EcosystemRecord[]>;
  queues(ecosystem: string): Promise<QueueRecord[]>;
  touch(ecosystem: string, nowMs: number): Promise<void>;
}

export const signalLog = (env: ApiBindings, ecosystem: string) => object<SignalLogCalls>(env.SIGNAL_LOG, ecosystem);
export const observationCache = (env: ApiBindings, ecosystem: string) =>
  object<ObservationCacheCalls>(env.OBSERVATION_CACHE, ecosystem);
export const policyState = (env: ApiBindings, ecosystem: string) =>
  object<PolicyStateCalls>(env.POLICY_STATE, ecosystem);
export const deadLetters = (env: ApiBindings, ecosystem: string) =>
  object<DeadLettersCalls>(env.DEAD_LETTERS, ecosystem);
export const webhooks = (env: ApiBindings, ecosystem: string) => object<WebhooksCalls>(env.WEBHOOKS, ecosystem);
export const models = (env: ApiBindings, ecosystem: string) => object<ModelsCalls>(env.MODELS, ecosystem);
export const priorityQueue = (env: ApiBindings, ecosystem: string, name: string) =>
  object<PriorityQueueCalls>(env.PRIORITY_QUEUE, `${ecosystem}/${name}`);
export const agentRegistry = (env: ApiBindings, ecosystem: string) =>
  object<AgentRegistryCalls>(env.AGENT_REGISTRY, ecosystem);
export const workerBoard = (env: ApiBindings, ecosystem: string) =>
  object<WorkerBoardCalls>(env.WORKER_BOARD, ecosystem);
/** One for the whole deployment. */
export const directory = (env: ApiBindings) => object<DirectoryCalls>(env.DIRECTORY, "directory");

/** The only cast between what an object is and what the API calls on it. */
function object<Calls>(namespace: DurableObjectNamespace, name: string): Calls {
  return namespace.get(namespace.idFromName(name)) as unknown as Calls;
}
