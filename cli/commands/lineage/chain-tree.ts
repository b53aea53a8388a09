import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";
import { type ChainTask, taskEnded } from "../../../src/core/lineage/chain-tasks.ts";
import type { ChainDelivery } from "../../../src/core/lineage/lineage.ts";
import type { Decision } from "../../../src/core/policy/decision.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { cellText, cutToTerminal } from "../../output.ts";

/** Signals of one chain in the order of the log, with what was decided on them and what was done. */
export interface Chain {
  /** Id of the signal that was asked about. */
  readonly asked: string;
  readonly signals: readonly Signal[];
  readonly decisions: readonly Decision[];
  readonly dead_letters: readonly DeadLetter[];
  readonly tasks: readonly ChainTask[];
  readonly deliveries: readonly ChainDelivery[];
  readonly missing_cause: string | undefined;
  readonly truncated: boolean;
}

interface Node {
  readonly text: string;
  readonly children: readonly Node[];
}

/** Facts and values are shown as far as they fit into so many characters; --json has all of them. */
const VALUE_CHARS = 160;

/** The chain as a tree: under each signal what was decided on it, under each decision what it led to. */
export function drawChain(chain: Chain): string[] {
  const tree = new ChainTree(chain);
  return tree.roots().flatMap((root) => [cutToTerminal(root.text), ...draw(root.children, "").map(cutToTerminal)]);
}

function draw(nodes: readonly Node[], indent: string): string[] {
  return nodes.flatMap(({ text, children }, place) => {
    const last = place === nodes.length - 1;
    return [`${indent}${last ? "└─ " : "├─ "}${text}`, ...draw(children, `${indent}${last ? "   " : "│  "}`)];
  });
}

class ChainTree {
  readonly #chain: Chain;
  readonly #byId: ReadonlyMap<string, Signal>;
  readonly #shown = new Set<string>();
  readonly #startMs: number;

  constructor(chain: Chain) {
    this.#chain = chain;
    this.#byId = new Map(chain.signals.map((signal) => [signal.id, signal]));
    this.#startMs = Date.parse(chain.signals[0]?.received_at ?? "");
  }

  roots(): Node[] {
    const inside = ({ cause }: Signal) => cause !== undefined && this.#byId.has(cause);
    const roots = this.#chain.signals.filter((signal) => !inside(signal)).map((signal) => this.#signal(signal));
    // Causes that go round have no beginning: they are shown from where they came into the log.
    const left = this.#chain.signals.filter(({ id }) => !this.#shown.has(id));
    return [...roots, ...left.flatMap((signal) => (this.#shown.has(signal.id) ? [] : [this.#signal(signal)]))];
  }

  #signal(signal: Signal): Node {
    this.#shown.add(signal.id);
    const { id, seq, source, facts } = signal;
    const asked = id === this.#chain.asked ? "  ◀ asked" : "";
    const decisions = this.#chain.decisions.filter((decision) => decision.signal.seq === seq);
    const byRules = new Set(decisions.flatMap(({ effects }) => effects));
    const ruled = new Set(decisions.flatMap(({ tasks = [] }) => tasks.map(({ task_id }) => task_id)));
    const tasks = this.#chain.tasks.filter((task) => task.cause === id && !ruled.has(task.task_id));
    const others = this.#chain.signals.filter((effect) => effect.cause === id && !byRules.has(effect.id));
    return {
      text: `${signal.signal}  ${this.#offset(signal.received_at)}  ${cellText(source)}  ${id}  ${short(facts)}${asked}`,
      children: [
        ...decisions.map((decision) => this.#decision(decision)),
        ...tasks.map((task) => this.#task(task)),
        ...others.flatMap((effect) => this.#effect(effect)),
        ...this.#chain.dead_letters.filter((letter) => isAbout(letter, id)).map(letterNode),
      ],
    };
  }

  #decision(decision: Decision): Node {
    const { rule, rule_version, outcome, reason, values, effects, decided_at } = decision;
    const why = reason === undefined ? "" : `: ${cellText(reason)}`;
    const read = Object.keys(values).length === 0 ? "" : `  ${short(values)}`;
    return {
      text: `rule ${rule} v${rule_version} ${outcome}${why}  ${this.#offset(decided_at)}${read}`,
      children: [
        ...askedNodes(decision.asked),
        ...effects.flatMap((effect) => {
          const signal = this.#byId.get(effect);
          return signal === undefined ? [this.#done(effect, decision)] : this.#effect(signal);
        }),
      ],
    };
  }

  /** What is no signal: a task, a call of a webhook, a switch of the maintenance. */
  #done(id: string, { tasks, deliveries, signal }: Decision): Node {
    const task = tasks?.find(({ task_id }) => task_id === id);
    if (task !== undefined) {
      const known = this.#chain.tasks.find(({ queue, task_id }) => queue === task.queue && task_id === id);
      return this.#task(known ?? { ...task, cause: signal.id, status: "unknown" });
    }
    const delivery = deliveries?.find(({ delivery_id }) => delivery_id === id);
    if (delivery === undefined) return { text: `effect ${id}`, children: this.#lettersOf(id) };
    const known = this.#chain.deliveries.find(({ delivery_id }) => delivery_id === id);
    return { text: `webhook ${delivery.endpoint}: ${deliveryText(known)}  ${id}`, children: this.#lettersOf(id) };
  }

  /** A task, with what its end told and what came of that. */
  #task(task: ChainTask): Node {
    const { queue, task_id, cause, status, worker, attempt } = task;
    const by = worker === undefined ? "" : ` by ${cellText(worker)}`;
    const state = status === "unknown" ? "no longer known" : `${status}${by}, attempt ${attempt}`;
    const ends = this.#chain.signals.filter((signal) => {
      const ended = signal.cause === cause ? taskEnded(signal) : undefined;
      return ended?.queue === queue && ended.task_id === task_id;
    });
    return {
      text: `task ${task_id} in ${queue}: ${state}`,
      children: [...ends.flatMap((end) => this.#effect(end)), ...this.#lettersOf(task_id)],
    };
  }

  #lettersOf(id: string): Node[] {
    return this.#chain.dead_letters.filter((letter) => letter.id.includes(id)).map(letterNode);
  }

  #effect(signal: Signal): Node[] {
    return this.#shown.has(signal.id) ? [] : [this.#signal(signal)];
  }

  #offset(time: string): string {
    const ms = Date.parse(time) - this.#startMs;
    return ms === 0 ? time : `+${duration(ms)}`;
  }
}

function askedNodes(asked: Decision["asked"]): Node[] {
  if (asked === undefined) return [];
  const { model, state, choice, why, reason, cost_usd = 0 } = asked;
  const said = reason === undefined ? "" : `: ${cellText(reason)}`;
  const outcome = {
    asked: "has not answered yet",
    answered: `chose ${choice}${said}`,
    fallback: `gave no answer (${why}), so ${choice}`,
  };
  return [{ text: `model ${model} ${outcome[state]}  $${cost_usd.toFixed(4)}`, children: [] }];
}

function deliveryText(delivery: ChainDelivery | undefined): string {
  const { state, attempts = 0, last_status, last_error, next_attempt_at } = delivery ?? { state: "unknown" as const };
  const words = {
    waiting: "waiting",
    delivered: "delivered",
    failed: "given up",
    skipped: "skipped, its endpoint was switched off",
    unknown: "not known: there was no such endpoint, or it is long ago",
  };
  const tried = attempts === 0 ? "" : `, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  const status = last_status === undefined ? "" : `, status ${last_status}`;
  const why = last_error === undefined || state === "delivered" ? "" : `, ${cellText(last_error)}`;
  const next = next_attempt_at === undefined || attempts === 0 ? "" : `, again at ${next_attempt_at}`;
  return `${words[state]}${tried}${status}${why}${next}`;
}

function letterNode({ id, error, attempts, kind, replayed_at, replay_outcome }: DeadLetter): Node {
  const tried = `${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  const done = ["replayed", "already"].includes(replay_outcome ?? "") ? `, replayed ${replayed_at}` : "";
  return {
    text: `dead letter ${id} (${kind}, ${tried}${done}): ${cellText(error)}`,
    children: [],
  };
}

const isAbout = ({ signal }: DeadLetter, id: string) => (signal as { id?: unknown } | undefined)?.id === id;

function short(value: unknown): string {
  const text = cellText(value);
  return text.length > VALUE_CHARS ? `${text.slice(0, VALUE_CHARS - 1)}…` : text;
}

/** `12 ms`, `3.4 s`, `5 min 2 s`, `1 h 10 min` */
function duration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
