import type { Lineage } from "../../src/core/lineage/api.ts";
import type { Decision } from "../../src/core/policy/decision.ts";
import { inLine } from "../parts/words.ts";

export type NodeKind = "signal" | "task" | "delivery" | "forward" | "dead letter";

/** One line of a chain: a signal, or something that came of one. */
export interface ChainRow {
  readonly key: string;
  readonly kind: NodeKind;
  readonly title: string;
  /** Who brought it about: the source of a signal, the queue of a task. */
  readonly lane: string;
  readonly detail: string;
  /** In milliseconds since the epoch; `undefined`: not known. */
  readonly atMs: number | undefined;
  /** Distance from the first cause. */
  readonly depth: number;
  readonly state: "good" | "warning" | "critical" | "calm";
  /** The signal on which the chain was opened. */
  readonly asked: boolean;
  /** Id of the signal, for a link. */
  readonly signal: string | undefined;
  readonly decisions: readonly Decision[];
}

export interface Chain {
  readonly rows: readonly ChainRow[];
  readonly lanes: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
}

type Node = Omit<ChainRow, "depth"> & { readonly cause: string | undefined; readonly order: number };

/** Lines that are known by no time stand behind the signals. */
const LAST = Number.MAX_SAFE_INTEGER;

/**
 * A chain as lines, each behind its cause. Each thing names one cause, so a chain is a tree: the things are sorted, and one
 * pass goes through them from the roots.
 */
export function chainOf(lineage: Lineage): Chain {
  const nodes = [...signalNodes(lineage), ...otherNodes(lineage)].sort((a, b) => a.order - b.order);
  const ids = new Set(nodes.map(({ key }) => key));
  const children = new Map<string, Node[]>();
  const roots: Node[] = [];
  for (const node of nodes) {
    const { cause } = node;
    // A cause that the answer does not hold leaves its effects at the top.
    if (cause === undefined || cause === node.key || !ids.has(cause)) roots.push(node);
    else push(children, cause, node);
  }
  const rows: ChainRow[] = [];
  // A stack and no recursion: a chain may be longer than the call stack is deep.
  const pending = roots.reverse().map((node) => ({ node, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, depth } = next;
    const { cause: _cause, order: _order, ...row } = node;
    rows.push({ ...row, depth });
    const below = children.get(node.key) ?? [];
    children.delete(node.key);
    for (let at = below.length - 1; at >= 0; at--) {
      const child = below[at];
      if (child !== undefined) pending.push({ node: child, depth: depth + 1 });
    }
  }
  return { rows, lanes: lanesOf(rows), ...spanOf(rows) };
}

function signalNodes({ causes, signal, effects, decisions }: Lineage): Node[] {
  const decided = new Map<string, Decision[]>();
  for (const decision of decisions) push(decided, decision.signal.id, decision);
  return [...causes, signal, ...effects].map((one) => ({
    key: one.id,
    kind: "signal",
    title: one.signal,
    lane: one.source,
    detail: inLine(one.facts),
    atMs: Date.parse(one.received_at),
    state: "calm",
    asked: one.id === signal.id,
    signal: one.id,
    decisions: decided.get(one.id) ?? [],
    cause: one.cause,
    order: one.seq,
  }));
}

const TASK_STATES = {
  complete: "good",
  failed: "critical",
  queued: "calm",
  running: "calm",
  verifying: "calm",
  unknown: "warning",
} as const;
const DELIVERY_STATES = {
  delivered: "good",
  failed: "critical",
  waiting: "warning",
  skipped: "calm",
  unknown: "warning",
} as const;

function otherNodes({ tasks, deliveries, forwards = [], dead_letters }: Lineage): Node[] {
  return [
    ...tasks.map((task) =>
      leaf("task", `${task.queue}/${task.task_id}`, task.cause, {
        title: task.type ?? task.task_id,
        lane: `queue ${task.queue}`,
        detail: words(task.outcome ?? task.status, task.recipient, task.worker && `by ${task.worker}`, task.error),
        state: TASK_STATES[task.status] ?? "warning",
      }),
    ),
    ...deliveries.map((delivery) =>
      leaf("delivery", delivery.delivery_id, delivery.cause, {
        title: delivery.endpoint,
        lane: `webhook ${delivery.endpoint}`,
        detail: words(delivery.state, delivery.last_status?.toString(), delivery.last_error),
        state: DELIVERY_STATES[delivery.state] ?? "warning",
      }),
    ),
    ...forwards.map((forward) =>
      leaf("forward", forward.forward_id, forward.cause, {
        title: forward.signal,
        lane: `ecosystem ${forward.ecosystem}`,
        detail: words(forward.state, forward.refused),
        state: forward.state === "arrived" ? "good" : forward.state === "refused" ? "critical" : "warning",
      }),
    ),
    ...dead_letters.map((letter) =>
      leaf("dead letter", letter.id, letter.lineage?.[0], {
        title: letter.error,
        lane: letter.daemon,
        detail: words(letter.kind, letter.replay_outcome),
        state: "critical",
        atMs: Date.parse(letter.last_failed_at),
      }),
    ),
  ];
}

type Leaf = Pick<Node, "title" | "lane" | "detail" | "state"> & { readonly atMs?: number };

const leaf = (kind: NodeKind, id: string, cause: string | undefined, { atMs, ...rest }: Leaf): Node => ({
  key: `${kind} ${id}`,
  kind,
  ...rest,
  atMs,
  asked: false,
  signal: undefined,
  decisions: [],
  cause,
  order: LAST,
});

function lanesOf(rows: readonly ChainRow[]): string[] {
  return [...new Set(rows.map(({ lane }) => lane))];
}

function spanOf(rows: readonly ChainRow[]): { fromMs: number; untilMs: number } {
  let fromMs = Number.POSITIVE_INFINITY;
  let untilMs = Number.NEGATIVE_INFINITY;
  for (const { atMs } of rows) {
    if (atMs === undefined) continue;
    if (atMs < fromMs) fromMs = atMs;
    if (atMs > untilMs) untilMs = atMs;
  }
  return fromMs > untilMs ? { fromMs: 0, untilMs: 0 } : { fromMs, untilMs };
}

const words = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== "").join(" · ");

function push<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
