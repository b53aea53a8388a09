import type { CreatedToken, TokenRecord } from "../core/access/api.ts";
import type { NewToken } from "../core/access/new-token.ts";
import type { FileTaskRecord, FileWorkerView } from "../core/file-tasks/api.ts";
import type { ObservationsPage } from "../core/introspection/api.ts";
import type { PolicyOverview } from "../core/policy/api.ts";
import type { DecisionsPage } from "../core/policy/decision.ts";
import type { LogStatus } from "../core/signals/api.ts";
import { deadLetterCalls } from "./dead-letters.ts";
import { agentCalls } from "./hosts.ts";
import { type Call, type Connection, request as send, urlOf } from "./http/request.ts";
import { newRetrier, type RetryOptions } from "./http/retry.ts";
import { introspectionCalls } from "./introspection.ts";
import { modelCalls } from "./models.ts";
import { policyCalls } from "./policy.ts";
import { queueCalls } from "./queue.ts";
import { signalCalls } from "./signals.ts";
import { openEventSource } from "./stream/event-source.ts";
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

export interface EcosystemStatus {
  readonly ecosystem: string;
  readonly log: LogStatus;
  readonly window: Pick<ObservationsPage, "size" | "oldest" | "newest"> & { readonly seconds: number };
  readonly gaps: { readonly open: number };
  /** Absent at an edge of an earlier version. */
  readonly policies?: PolicyOverview;
  readonly dead_letters: number;
}

export type Client = ReturnType<typeof createClient>;

/**
 * The edge's API, typed. Works in Node and in browsers. Every call throws ApiProblem for a refusal, and EdgeUnreachable
 * when no edge answers; see problem-errors.ts.
 */
export function createClient(options: ClientOptions) {
  const { url, token, ecosystem = "default", openSource = openEventSource } = options;
  const connection: Connection = { url, token, fetch: options.fetch ?? ((...args) => fetch(...args)) };
  const withRetries = newRetrier(options.retry);
  const call = <Answer>(request: Call) => send<Answer>(connection, request);
  const inside = (path: string) => `/v1/${encodeURIComponent(ecosystem)}${path}`;
  const get = <Answer>(path: string, query: Call["query"] = {}) => call<Answer>({ path: inside(path), query });

  const signals = signalCalls({
    call,
    withRetries,
    inside,
    openStream: (path, query, signal) => openSource(urlOf(url, path, query), token, signal),
  });
  const introspection = introspectionCalls({ call, inside });

  return {
    emit: signals.emit,
    signals: signals.signals,
    signal: signals.signal,
    lineage: signals.lineage,
    follow: signals.follow,

    observations: introspection.observations,
    history: introspection.history,
    observationSettings: introspection.observationSettings,
    changeObservationSettings: introspection.changeObservationSettings,
    gaps: introspection.gaps,
    scanners: introspection.scanners,
    changeScanner: introspection.changeScanner,
    maintenance: introspection.maintenance,
    setMaintenance: introspection.setMaintenance,

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

    /** @throws ApiProblem with the reason while the edge cannot serve calls */
    ready: () => call<{ status: "ready" }>({ path: "/readyz" }),
    agents: agentCalls({ call, inside }),
    queues: queueCalls({
      call,
      withRetries,
      inside,
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
      create: (token: NewToken) => call<CreatedToken>({ method: "POST", path: "/v1/tokens", body: token }),
      list: async () => (await call<{ tokens: TokenRecord[] }>({ path: "/v1/tokens" })).tokens,
      delete: (id: string) => call<void>({ method: "DELETE", path: `/v1/tokens/${encodeURIComponent(id)}` }),
    },
  };
}
