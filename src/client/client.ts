import { sessionCalls, tokenCalls } from "./access.ts";
import { agentSessionCalls } from "./agent-sessions.ts";
import { attentionCalls } from "./attention.ts";
import { auditCalls } from "./audit.ts";
import { budgetCalls } from "./budgets.ts";
import { deadLetterCalls } from "./dead-letters.ts";
import { deploymentCalls } from "./deployment.ts";
import { ecosystemCalls } from "./ecosystems.ts";
import { erasureCalls } from "./erasures.ts";
import { bridgeCalls } from "./federation.ts";
import { fileTaskCalls } from "./file-tasks.ts";
import { agentCalls } from "./hosts.ts";
import { type Connection, type Credential, type Fetch, urlOf } from "./http/exchange.ts";
import { type CallEdge, request as send } from "./http/request.ts";
import { newRetrier, type RetryOptions } from "./http/retry.ts";
import { inboxCalls } from "./inbox.ts";
import { introspectionCalls } from "./introspection.ts";
import { libraryCalls } from "./library.ts";
import { hostDoor } from "./limits/host-door.ts";
import { HostHold } from "./limits/host-hold.ts";
import { limitCalls } from "./limits.ts";
import { lockCalls } from "./locks.ts";
import { mailCalls } from "./mail.ts";
import { modelCalls } from "./models.ts";
import { noteCalls } from "./notes.ts";
import { permissionCalls } from "./permissions.ts";
import { decisionCalls, policyCalls } from "./policy.ts";
import { questionCalls } from "./questions.ts";
import { queueCalls } from "./queue.ts";
import { rolloutCalls } from "./rollout.ts";
import { scheduleCalls } from "./schedules.ts";
import { signalCalls } from "./signals.ts";
import { openEventSource } from "./stream/event-source.ts";
import { followEvents } from "./stream/queue-events.ts";
import { openServerSentEvents } from "./stream/server-sent-events.ts";
import type { OpenSource } from "./stream/signal-source.ts";
import { telemetryCalls } from "./telemetry.ts";
import { webhookCalls } from "./webhooks.ts";

export interface ClientOptions {
  /** Where the edge is, such as `http://127.0.0.1:8787`. */
  readonly url: string;
  /** `null` in a browser that has a session. */
  readonly token: Credential;
  /** Default `default`. */
  readonly ecosystem?: string;
  /** How the stream is opened; default by `fetch`. In Node give `openSocketSource`, which is faster and notices a dead edge sooner. */
  readonly openSource?: OpenSource;
  /** Default `fetch`. A short-lived program in Node gives `nodeFetch`, which loads faster. */
  readonly fetch?: Fetch;
  readonly retry?: RetryOptions;
  /** `false`: limits are never asked of the local agent of this machine; default: where one of the same edge runs, in Node alone. */
  readonly localAgent?: false;
}

export type Client = ReturnType<typeof createClient>;

/**
 * The edge's API, typed. Works in Node and in browsers. Every call throws ApiProblem for a refusal, EdgeUnreachable when
 * no edge answers, and UnreadableAnswer for an answer of another shape; see problem-errors.ts.
 */
export function createClient(options: ClientOptions) {
  const { url, token, ecosystem = "default", openSource = openEventSource } = options;
  const connection: Connection = { url, token, fetch: options.fetch ?? ((...args) => fetch(...args)) };
  const withRetries = newRetrier(options.retry);
  const call: CallEdge = (answer, request) => send(connection, answer, request);
  const inside = (path: string) => `/v1/${encodeURIComponent(ecosystem)}${path}`;

  const signals = signalCalls({
    call,
    withRetries,
    inside,
    openStream: (path, query, signal) => openSource(urlOf(url, path, query), token, signal),
  });
  const introspection = introspectionCalls({ call, inside });
  const fileTasks = fileTaskCalls({ call, inside });
  const deployment = deploymentCalls({ call, inside });

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
    gapEvidence: introspection.gapEvidence,
    scanners: introspection.scanners,
    changeScanner: introspection.changeScanner,
    maintenance: introspection.maintenance,
    setMaintenance: introspection.setMaintenance,

    decisions: decisionCalls({ call, inside }).decisions,
    policy: policyCalls({ call, inside }),
    rollout: rolloutCalls({ call, inside }),
    models: modelCalls({ call, inside }),
    intelligence: libraryCalls({ call, inside }),
    status: deployment.status,
    overview: deployment.overview,
    usage: deployment.usage,
    budget: deployment.budget,
    setBudget: deployment.setBudget,
    ready: deployment.ready,
    fileWorkers: fileTasks.fileWorkers,
    fileWorker: fileTasks.fileWorker,
    fileTasks: fileTasks.fileTasks,

    agents: agentCalls({ call, inside }),
    ...agentSessionCalls({ call, inside }),
    mail: mailCalls({ call, withRetries, inside }),
    questions: questionCalls({ call, withRetries, inside }),
    permissions: permissionCalls({ call, withRetries, inside }),
    queues: queueCalls({
      call,
      withRetries,
      inside,
      follow: (path, query, options) =>
        followEvents(
          (lastId) =>
            openServerSentEvents(urlOf(url, path, query), token, {
              signal: options.signal,
              headers: lastId === undefined ? {} : { "Last-Event-ID": lastId },
            }),
          options,
        ),
    }),
    webhooks: webhookCalls({ call, inside }),
    telemetry: telemetryCalls({ call, inside }),
    schedules: scheduleCalls({ call, inside }),
    locks: lockCalls({ call, inside }),
    limits: limitCalls({
      call,
      withRetries,
      inside,
      agent:
        options.localAgent === false
          ? undefined
          : (settlements) => new HostHold({ door: hostDoor(), url, ecosystem, settlements }),
    }),
    budgets: budgetCalls({ call, inside }),
    notes: noteCalls({ call, withRetries, inside }),
    inbox: inboxCalls({ call, inside }),
    attention: attentionCalls({ call, inside, follow: signals.follow }),
    audit: auditCalls({ call, inside }),
    bridges: bridgeCalls({ call, inside }),
    deadLetters: deadLetterCalls({ call, inside }),

    erasures: erasureCalls({ call, inside }),
    ecosystem: ecosystemCalls({ call, inside, name: ecosystem }),
    tokens: tokenCalls({ call }),
    sessions: sessionCalls({ call }),
  };
}
