import type { CreatedToken, TokenRecord } from "../core/access/api.ts";
import type { NewToken } from "../core/access/new-token.ts";
import type { FileTaskRecord, FileWorkerView } from "../core/file-tasks/api.ts";
import type {
  Gap,
  HistoryPage,
  Maintenance,
  MaintenanceChange,
  ObservationsPage,
  ScannerStatus,
} from "../core/introspection/api.ts";
import type { ObservationSettings } from "../core/introspection/window/window-settings.ts";
import type { Lineage } from "../core/lineage/api.ts";
import type { DecisionsPage } from "../core/policy/decision.ts";
import type { AppendResult, LogStatus } from "../core/signals/api.ts";
import type { Signal, SignalInput } from "../core/signals/signal.ts";
import { deadLetterCalls } from "./dead-letters.ts";
import { agentCalls } from "./hosts.ts";
import { type Call, type Connection, request, urlOf } from "./http/request.ts";
import { type RetryOptions, retrying } from "./http/retry.ts";
import { uuid7 } from "./http/uuid7.ts";
import { modelCalls } from "./models.ts";
import { policyCalls } from "./policy.ts";
import { queueCalls } from "./queue.ts";
import { openEventSource } from "./stream/event-source.ts";
import { type FollowOptions, followLog } from "./stream/follow.ts";
import { openServerSentEvents } from "./stream/server-sent-events.ts";
import type { OpenSource } from "./stream/signal-source.ts";
import { webhookCalls } from "./webhooks.ts";

export interface ClientOptions {
  /** Where the edge is, such as `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly token: string;
  /** Default `default`. */
  readonly ecosystem?: string;
  /** How the stream is opened; default by `fetch`. In Node give `openSocketSource`, which is faster and notices a dead edge sooner. */
  readonly openSource?: OpenSource;
  readonly fetch?: typeof fetch;
  readonly retry?: RetryOptions;
}

export interface SignalQuery {
  readonly signals?: readonly string[];
  readonly source?: string;
  readonly after?: number;
  /** RFC 3339 or seconds since the epoch. */
  readonly since?: string | number;
  readonly until?: string | number;
  readonly limit?: number;
  readonly order?: "asc" | "desc";
}

export interface DecisionQuery {
  readonly limit?: number;
  readonly after?: string;
  readonly rule?: string;
  readonly outcome?: string;
  /** Id of a signal. */
  readonly signal?: string;
  /** RFC 3339 or seconds since the epoch. */
  readonly since?: string | number;
  readonly until?: string | number;
}

export interface HistoryQuery {
  /** Such as `cpu_percent`, `ttr_ms`, or `ok`, whose mean is the success rate. */
  readonly metric: string;
  readonly reporter?: string;
  /** RFC 3339 or seconds since the epoch. */
  readonly since?: string | number;
  readonly until?: string | number;
  /** Seconds. */
  readonly step?: number;
}

export interface EcosystemStatus {
  readonly ecosystem: string;
  readonly log: LogStatus;
  readonly window: Pick<ObservationsPage, "size" | "oldest" | "newest"> & { readonly seconds: number };
  readonly gaps: { readonly open: number };
  readonly dead_letters: number;
}

export type Client = ReturnType<typeof createClient>;

/**
 * The edge's API, typed. Works in Node and in browsers. Every call throws ApiProblem for a refusal and EdgeUnreachable
 * where nobody answers; see problem-errors.ts.
 */
export function createClient(options: ClientOptions) {
  const { url, token, ecosystem = "default", openSource = openEventSource } = options;
  const connection: Connection = { url, token, fetch: options.fetch ?? ((...args) => fetch(...args)) };
  const again = retrying(options.retry);
  const call = <Answer>(what: Call) => request<Answer>(connection, what);
  const inside = (path: string) => `/v1/${encodeURIComponent(ecosystem)}${path}`;
  const get = <Answer>(path: string, query: Call["query"] = {}) => call<Answer>({ path: inside(path), query });

  const signals = ({ signals: signal, ...query }: SignalQuery = {}) =>
    get<{ signals: Signal[]; next: number | null }>("/signals", { signal: signal ?? [], ...query });

  return {
    /**
     * Emits signals, all or none: at most 1,000 and 1 MiB. Each gets an id here if it has none, so that trying again
     * after a lost answer keeps none of them twice.
     */
    emit(
      emitted: SignalInput | readonly SignalInput[],
      { signal }: { signal?: AbortSignal } = {},
    ): Promise<AppendResult> {
      const named = (one: SignalInput) => ({ ...one, id: one.id ?? uuid7() });
      const body = isList(emitted) ? emitted.map(named) : named(emitted);
      return again(() => call({ method: "POST", path: inside("/signals"), body, signal }), signal);
    },

    signals,
    signal: (id: string) => get<Signal>(`/signals/${encodeURIComponent(id)}`),
    lineage: (id: string) => get<Lineage>(`/signals/${encodeURIComponent(id)}/lineage`),

    /** Signals as they come, each once, across lost connections. See {@link FollowOptions}. */
    async *follow(follow: FollowOptions = {}): AsyncGenerator<Signal, void, void> {
      // "From now on" is pinned to a place in the log before the stream opens: a connection lost before the first
      // signal then resumes there and misses nothing.
      const after = follow.after ?? (await signals({ order: "desc", limit: 1 })).signals[0]?.seq ?? 0;
      const open = (from: number) =>
        openSource(
          urlOf(url, inside("/signals/stream"), { after: from, signal: follow.signals ?? [] }),
          token,
          follow.signal,
        );
      yield* followLog(after, open, follow);
    },

    observations: (query: { seconds?: number; zooid?: string; limit?: number } = {}) =>
      get<ObservationsPage>("/observations", query),
    history: (query: HistoryQuery) => get<HistoryPage>("/observations/history", { ...query }),
    observationSettings: () => get<ObservationSettings>("/observations/settings"),
    /** What is not named stays as it is. */
    changeObservationSettings: (change: Partial<ObservationSettings>) =>
      call<ObservationSettings>({ method: "PATCH", path: inside("/observations/settings"), body: change }),
    gaps: async (status: "open" | "resolved" | "all" = "open", name?: string) =>
      (await get<{ gaps: Gap[] }>("/gaps", { status, ...(name === undefined ? {} : { name }) })).gaps,
    scanners: async () => (await get<{ scanners: ScannerStatus[] }>("/scanners")).scanners,
    /** Settings that are not named stay as they are. */
    changeScanner: (id: string, change: { enabled?: boolean; settings?: Record<string, unknown> }) =>
      call<ScannerStatus>({ method: "PATCH", path: inside(`/scanners/${encodeURIComponent(id)}`), body: change }),
    maintenance: () => get<Maintenance>("/maintenance"),
    setMaintenance: (change: MaintenanceChange) =>
      call<Maintenance>({ method: "PUT", path: inside("/maintenance"), body: change }),
    decisions: (query: DecisionQuery = {}) => get<DecisionsPage>("/decisions", { ...query }),
    policy: policyCalls({ call, inside }),
    models: modelCalls({ call, inside }),
    status: () => get<EcosystemStatus>("/status"),
    fileWorkers: async () => (await get<{ workers: FileWorkerView[] }>("/workers")).workers,
    /** Every drop of that id, the newest first. */
    fileTasks: async (worker: string, id: string) => {
      const path = `/workers/${encodeURIComponent(worker)}/tasks/${encodeURIComponent(id)}`;
      return (await get<{ tasks: FileTaskRecord[] }>(path)).tasks;
    },

    /** @throws ApiProblem that says why, while the edge cannot serve calls */
    ready: () => call<{ status: "ready" }>({ path: "/readyz" }),
    agents: agentCalls({ call, inside }),
    queues: queueCalls({
      ...{ call, again, inside },
      stream: (path, query, lastId, signal) =>
        openServerSentEvents(urlOf(url, path, query), token, {
          signal,
          headers: lastId === undefined ? {} : { "Last-Event-ID": lastId },
        }),
    }),
    webhooks: webhookCalls({ call, inside }),
    deadLetters: deadLetterCalls({ call, inside }),

    tokens: {
      /** The answer holds the token itself, this once. */
      create: (wanted: NewToken) => call<CreatedToken>({ method: "POST", path: "/v1/tokens", body: wanted }),
      list: async () => (await call<{ tokens: TokenRecord[] }>({ path: "/v1/tokens" })).tokens,
      delete: (id: string) => call<void>({ method: "DELETE", path: `/v1/tokens/${encodeURIComponent(id)}` }),
    },
  };
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: SignalInput | readonly SignalInput[]): value is readonly SignalInput[] {
  return Array.isArray(value);
}
