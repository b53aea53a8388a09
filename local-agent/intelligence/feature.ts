import { dirname, join, resolve } from "node:path";
import { Histogram } from "prom-client";
import { OPERATIONS } from "../../src/core/intelligence/request.ts";
import { type Topics, topicsOf } from "../../src/core/intelligence/topics.ts";
import type { Feature } from "../feature/feature.ts";
import type { Registrar } from "../feature/registrar.ts";
import { answerLog } from "./answer-log.ts";
import { IndexClient } from "./index-client.ts";
import { REQUESTS_SINK, RequestSignals } from "./request-signals.ts";
import { Responder, type ResponderOptions } from "./responder.ts";
import { type IntelligenceFeatureOptions, type IntelligenceSection, ignoredNames } from "./settings.ts";

/** Answers requests about the code that lies on this host. */
export const INTELLIGENCE_FEATURE: Feature<IntelligenceFeatureOptions> = {
  name: "intelligence",
  restartOn: ["intelligence", "asking"],
  sinks: (options) =>
    hasRoots(options.intelligence)
      ? [{ name: REQUESTS_SINK, patterns: [topicsFor(options).request], because: "intelligence.roots" }]
      : [],
  assemble({ options, register, inbox, deadLetters, log, now }) {
    const { intelligence: section, url, token, ecosystem, hostId, stateDir, configFile } = options;
    if (!hasRoots(section)) return undefined;
    const base = configFile === undefined ? process.cwd() : dirname(configFile);
    const topics = topicsFor(options);
    const index = new IndexClient({
      database: join(stateDir, "intelligence.db"),
      roots: section.roots.map((root) => resolve(base, root)),
      languages: section.languages,
      ignored: ignoredNames(section),
      maxFiles: section.max_files,
      log,
      onState: () => responder.refresh(),
    });
    const edge = { url, token, ecosystem, hostId, queue: section.queue };
    const { asking } = options;
    const measured = asking?.metrics === false ? undefined : registerMetrics(register, index);
    const logAnswer = answerLog(log, asking?.correlationTracking ?? true);
    const onAnswer: ResponderOptions["onAnswer"] = (...answer) => {
      measured?.onAnswer(...answer);
      logAnswer(...answer);
    };
    const responder = new Responder({ ...edge, topics, index, now, log, onAnswer });
    const requests = new RequestSignals({
      ...edge,
      topic: topics.request,
      inbox,
      deadLetters: { outbox: deadLetters, hostId },
      now,
      log,
      onDropped: (reason) => measured?.onDropped(reason),
    });
    register.status(() => index.state);
    return { services: [responder, requests] };
  },
};

function hasRoots(section: IntelligenceSection | undefined): section is IntelligenceSection {
  return section !== undefined && section.roots.length > 0;
}

function topicsFor({ asking }: IntelligenceFeatureOptions): Topics {
  if (asking === undefined) return topicsOf("development");
  return { request: asking.topicRequest, completed: asking.topicCompleted, failed: asking.topicFailed };
}

function registerMetrics(register: Registrar, index: Pick<IndexClient, "state">) {
  const answers = new Map<string, { operation: string; outcome: string; value: number }>();
  const dropped = new Map<string, number>();
  const seconds = new Histogram({
    name: "ganglion_intelligence_answer_seconds",
    help: "Time in which this host answered requests about code",
    labelNames: ["operation"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [register.metrics],
  });
  register.counter({
    name: "ganglion_intelligence_answers",
    help: "Requests about code that this host has answered, by outcome",
    labels: ["operation", "outcome"],
    read: () => [...answers.values()],
  });
  register.counter({
    name: "ganglion_intelligence_dropped_requests",
    help: "Signals of requests that were not answered",
    labels: ["reason"],
    read: () => [...dropped].map(([reason, value]) => ({ reason, value })),
  });
  register.gauge({
    name: "ganglion_intelligence_files",
    help: "Code files below the roots",
    labels: ["state"],
    read: () => {
      const { files = 0, failed = 0, leftOut = 0 } = index.state ?? {};
      return [
        { state: "indexed", value: files - failed },
        { state: "failed", value: failed },
        { state: "left_out", value: leftOut },
      ];
    },
  });
  const onAnswer: ResponderOptions["onAnswer"] = (given, outcome, ms) => {
    // An operation that an asker made up must not become a label.
    const operation = OPERATIONS.find((each) => each === given) ?? "other";
    const key = `${operation} ${outcome}`;
    const value = (answers.get(key)?.value ?? 0) + 1;
    answers.set(key, { operation, outcome, value });
    seconds.observe({ operation }, ms / 1_000);
  };
  const onDropped = (reason: string) => void dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
  return { onAnswer, onDropped };
}
