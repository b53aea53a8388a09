import type { AttentionItem } from "../../../core/attention/api.ts";
import { type EcosystemState, TELLING_SIGNALS } from "../../../core/attention/ecosystem-state.ts";
import { attentionItems, findingsOf } from "../../../core/attention/items.ts";
import type { FleetPage } from "../../../core/hosts/fleet.ts";
import { suspendedText } from "../../../core/problem/object-refusals.ts";
import { platformFailure } from "../../../core/problem/platform-failure.ts";
import type { QueueStatus } from "../../../core/queue/api.ts";
import type { LogStatus } from "../../../core/signals/api.ts";
import { readSignalLine } from "../../../core/signals/signal-line.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import {
  agentRegistry,
  deadLetters,
  directory,
  limits,
  locks,
  models,
  observationCache,
  policyState,
  priorityQueue,
  questions,
  schedules,
  signalLog,
  telemetry,
  webhooks,
  workerBoard,
} from "../../bindings/objects.ts";

/** Queues of an ecosystem that are looked at in one call; the caller may take fewer. */
export const MAX_QUEUES = 25;
/** Hosts that are looked at in one call. */
const MAX_HOSTS = 1_000;
/** The newest signals that tell how matters began. */
const MAX_SIGNALS = 200;

/** An ecosystem as it is at a moment, by the objects themselves. */
export interface Look {
  readonly atMs: number;
  readonly items: readonly AttentionItem[];
  readonly state: EcosystemState;
  readonly fleet: FleetPage;
  readonly queues: readonly QueueStatus[];
  readonly queuesInAll: number;
  readonly log: LogStatus;
  /** Parts that could not be looked at, or not in one call. */
  readonly unread: readonly string[];
}

/**
 * Looks at an ecosystem: nine calls of objects, one more for each of at most {@link MAX_QUEUES} queues, and one more where
 * something is wrong. An object that fails hides no other; where the log does not answer, nothing can be said.
 */
export async function lookAt(
  env: Environment,
  ecosystem: string,
  nowMs: number,
  maxQueues = MAX_QUEUES,
): Promise<Look> {
  const unread: string[] = [];
  const part = async <Answer>(name: string, ask: () => Promise<Answer>, otherwise: Answer): Promise<Answer> => {
    try {
      return await onceMore(ask);
    } catch (error) {
      // Of an ecosystem that stands still for a copy, nothing at all can be said.
      if (suspendedText(error) !== undefined) throw error;
      logLine("warn", "attention-part-not-read", { ecosystem, part: name, error });
      unread.push(name);
      return otherwise;
    }
  };
  const [fleet, window, policy, board, letters, endpoints, asked, known] = await Promise.all([
    part("hosts", () => agentRegistry(env, ecosystem).fleet(MAX_HOSTS), { hosts: [], total: 0 }),
    part("gaps and scanners", () => observationCache(env, ecosystem).attention(), undefined),
    part("rules", () => policyState(env, ecosystem).attention(), undefined),
    part("file tasks and sessions", () => workerBoard(env, ecosystem).attention(), undefined),
    part("dead letters", () => deadLetters(env, ecosystem).summary(), { open: 0, newest: [] }),
    part("webhooks", () => webhooks(env, ecosystem).list(), []),
    part("models", () => models(env, ecosystem).settings(), undefined),
    part("queues", () => queuesOf(env, ecosystem, maxQueues, unread), {
      queues: [],
      inAll: 0,
      exporting: false,
      scheduling: false,
      asking: false,
      locking: false,
      limiting: false,
    }),
  ]);
  const { queues, inAll, exporting, scheduling, asking, locking, limiting } = known;
  if (fleet.total > fleet.hosts.length) unread.push(`hosts after ${fleet.hosts.at(-1)?.host}`);
  if (inAll > maxQueues) unread.push(`queues after ${queues.at(-1)?.queue}`);
  // Nobody calls the object of an export, or of schedules, questions, locks or limits, where there are none.
  const [exported, scheduled, open, locked, closed] = await Promise.all([
    exporting ? part("export", () => telemetry(env, ecosystem).show(), undefined) : undefined,
    scheduling ? part("schedules", () => schedules(env, ecosystem).attention(), undefined) : undefined,
    asking ? part("questions", () => questions(env, ecosystem).attention(), undefined) : undefined,
    locking ? part("locks", () => locks(env, ecosystem).attention(), undefined) : undefined,
    limiting ? part("limits", () => limits(env, ecosystem).attention(), undefined) : undefined,
  ]);
  if (scheduled !== undefined && scheduled.total > scheduled.schedules)
    unread.push(`schedules after ${scheduled.findings.at(-1)?.schedule}`);
  if (open !== undefined && open.total > open.findings.length) unread.push("questions beyond the first to expire");
  if (locked !== undefined && locked.total > locked.waits.length)
    unread.push(`waits for locks after ${locked.waits.length}`);
  if (closed?.more === true) unread.push(`budgets beyond the first ${closed.budgets.length}`);
  const cursors = {
    ...(window === undefined ? {} : { observations: window.cursor }),
    ...(policy === undefined ? {} : { policy: policy.cursor }),
    ...(board === undefined ? {} : { workers: board.cursor }),
  };
  // After the projections were asked: what came since then counts as not taken in, and not as taken in too early.
  const log = await signalLog(env, ecosystem).status(cursors);
  const state: EcosystemState = {
    ecosystem,
    hosts: fleet.hosts,
    sessions: board?.sessions ?? [],
    gaps: window?.gaps ?? [],
    scanners: window?.scanners ?? [],
    quarantined: policy?.quarantined ?? [],
    late: policy?.late ?? [],
    forwardsWaiting: policy?.forwardsWaiting ?? {},
    queues,
    deadLetters: letters,
    webhooks: endpoints,
    budget: log.budget,
    models: asked,
    exporting: exported?.health,
    schedules: scheduled?.findings,
    questions: open?.findings,
    locks: locked,
    limits: closed?.limits,
    spending: closed?.budgets,
    damaged: log.damaged,
    undelivered: Object.fromEntries(
      Object.entries(log.undelivered).map(([name, { oldest_undelivered_at }]) => [name, oldest_undelivered_at]),
    ),
    nowMs,
  };
  const items = await toldItems(env, state);
  return { atMs: nowMs, items, state, fleet, queues, queuesInAll: inAll, log, unread };
}

/** Asks the log how matters began, where there are any. */
async function toldItems(env: Environment, state: EcosystemState): Promise<AttentionItem[]> {
  const findings = findingsOf(state);
  if (findings.length === 0) return [];
  const page = await signalLog(env, state.ecosystem).read({
    signals: TELLING_SIGNALS,
    limit: MAX_SIGNALS,
    order: "desc",
  });
  return attentionItems(findings, state.ecosystem, page.lines.map(readSignalLine));
}

/** What the platform restarted in the midst of the call is asked again. */
async function onceMore<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (platformFailure(error)?.repeatAtOnce !== true) throw error;
    return ask();
  }
}

async function queuesOf(env: Environment, ecosystem: string, maxQueues: number, unread: string[]) {
  const { queues: known, exporting, scheduling, asking, locking, limiting } = await directory(env).known(ecosystem);
  const asked = await Promise.allSettled(
    known.slice(0, maxQueues).map(({ name }) => onceMore(() => priorityQueue(env, ecosystem, name).status())),
  );
  const queues: QueueStatus[] = [];
  asked.forEach((one, place) => {
    if (one.status === "fulfilled") queues.push(one.value);
    else {
      const queue = known[place]?.name ?? "";
      logLine("warn", "attention-part-not-read", { ecosystem, part: `queue ${queue}`, error: one.reason });
      unread.push(`the queue ${queue}`);
    }
  });
  return { queues, inAll: known.length, exporting, scheduling, asking, locking, limiting };
}
