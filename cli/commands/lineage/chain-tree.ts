import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";
import type { HostTrace } from "../../../src/core/hosts/signal-trace.ts";
import type { ChainDelivery, ChainForward, ChainTask } from "../../../src/core/lineage/api.ts";
import { endedTask } from "../../../src/core/lineage/chain-tasks.ts";
import type { Decision } from "../../../src/core/policy/decision.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { cellText, clock, cutToTerminal } from "../../output.ts";

/** The signals of one chain in the order of the log, with the decisions on them and their tasks and deliveries. */
export interface Chain {
  /** Id of the signal that the user asked about. */
  readonly asked: string;
  readonly signals: readonly Signal[];
  readonly decisions: readonly Decision[];
  readonly dead_letters: readonly DeadLetter[];
  readonly tasks: readonly ChainTask[];
  readonly deliveries: readonly ChainDelivery[];
  readonly forwards: readonly ChainForward[];
  /** What hosts did with the signals. */
  readonly hosts: readonly HostTrace[];
  /** The signals that decisions of rules with `at_least` rest on, by the decision's id. */
  readonly counted: ReadonlyMap<string, readonly Signal[]>;
  readonly missing_cause: string | undefined;
  readonly truncated: boolean;
}

interface Node {
  readonly text: string;
  readonly children: readonly Node[];
}

/** Longer facts and values are cut at this length; --json shows them whole. */
const VALUE_CHARS = 160;

/** The chain as a tree: under each signal the decisions on it, under each decision its effects. */
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
    // A circle of causes has no first signal: it is shown from the signal that came into the log first.
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
        ...this.#chain.hosts.flatMap((host) => hostNodes(host, id)),
        ...decisions.map((decision) => this.#decision(decision)),
        ...tasks.map((task) => this.#task(task)),
        ...others.flatMap((effect) => this.#effect(effect)),
        ...this.#chain.dead_letters.filter((letter) => isAbout(letter, id)).map(deadLetterNode),
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
        ...this.#countedNodes(decision),
        ...askedNodes(decision.asked),
        ...effects.flatMap((effect) => {
          const signal = this.#byId.get(effect);
          return signal === undefined ? [this.#otherEffect(effect, decision)] : this.#effect(signal);
        }),
      ],
    };
  }

  /** The signals that the rule had counted when it decided, where it counts some. */
  #countedNodes({ id, signal: { seq } }: Decision): Node[] {
    const counted = this.#chain.counted.get(id) ?? [];
    if (counted.length === 0) return [];
    const children = counted.map((one) => ({
      text: `${one.signal}  ${clock(one.received_at)}  ${cellText(one.source)}  ${one.id}  ${short(one.facts)}${one.seq === seq ? "  (this signal)" : ""}`,
      children: [],
    }));
    return [{ text: `counted ${counted.length} ${counted.length === 1 ? "signal" : "signals"}`, children }];
  }

  /** An effect that is no signal: a task, a webhook delivery, or a switch of the maintenance mode. */
  #otherEffect(id: string, { tasks, deliveries, forwards, signal }: Decision): Node {
    const task = tasks?.find(({ task_id }) => task_id === id);
    if (task !== undefined) {
      const known = this.#chain.tasks.find(({ queue, task_id }) => queue === task.queue && task_id === id);
      return this.#task(known ?? { ...task, cause: signal.id, status: "unknown" });
    }
    const forward = forwards?.find(({ forward_id }) => forward_id === id);
    if (forward !== undefined) return this.#forward(forward);
    const delivery = deliveries?.find(({ delivery_id }) => delivery_id === id);
    if (delivery === undefined) return { text: `effect ${id}`, children: this.#deadLettersOf(id) };
    const known = this.#chain.deliveries.find(({ delivery_id }) => delivery_id === id);
    const { endpoint, undelivered } = delivery;
    const isLost = undelivered !== undefined && (known === undefined || known.state === "unknown");
    const state = isLost ? `went nowhere, ${undelivered}` : deliveryText(known);
    return { text: `webhook ${endpoint}: ${state}  ${id}`, children: this.#deadLettersOf(id) };
  }

  #forward({ forward_id, ecosystem, signal, refused }: NonNullable<Decision["forwards"]>[number]): Node {
    const known = this.#chain.forwards.find((one) => one.forward_id === forward_id);
    const words = {
      arrived: `there as seq ${known?.seq}`,
      refused: "refused",
      unknown: "not in the log there",
      unreadable: "the token may not read there",
    };
    const state = known === undefined ? "" : `: ${words[known.state]}`;
    const why = refused === undefined ? state : `: refused, ${cellText(refused)}`;
    return { text: `forwarded to ${ecosystem} as ${signal}${why}  ${forward_id}`, children: [] };
  }

  /** A task, with the signals of its end and their effects. */
  #task(task: ChainTask): Node {
    const { queue, task_id, cause, status, worker, attempt } = task;
    const by = worker === undefined ? "" : ` by ${cellText(worker)}`;
    const waits = task.verifying?.why ?? task.parked_reason ?? task.unplaced;
    const why = waits === undefined ? "" : `: ${cellText(waits)}`;
    const state = status === "unknown" ? "no longer known" : `${status}${by}, attempt ${attempt}${why}`;
    const ends = this.#chain.signals.filter((signal) => {
      const ended = signal.cause === cause ? endedTask(signal) : undefined;
      return ended?.queue === queue && ended.task_id === task_id;
    });
    return {
      text: `task ${task_id} in ${queue}: ${state}`,
      children: [...ends.flatMap((end) => this.#effect(end)), ...this.#deadLettersOf(task_id)],
    };
  }

  #deadLettersOf(id: string): Node[] {
    return this.#chain.dead_letters.filter((letter) => letter.id.includes(id)).map(deadLetterNode);
  }

  #effect(signal: Signal): Node[] {
    return this.#shown.has(signal.id) ? [] : [this.#signal(signal)];
  }

  #offset(time: string): string {
    const ms = Date.parse(time) - this.#startMs;
    return ms === 0 ? clock(time) : `+${duration(ms)}`;
  }
}

/** What one host did with a signal; nothing where it did not receive it. */
function hostNodes({ host, signals }: HostTrace, id: string): Node[] {
  const trace = signals.find((signal) => signal.id === id);
  if (trace === undefined) return [];
  const { received_for, reactions } = trace;
  const why = received_for.length === 0 ? "" : ` for ${received_for.join(", ")}`;
  return [
    {
      text: `host ${cellText(host)} received it${why}`,
      children: reactions.map(({ reaction, state, attempts, error }) => ({
        text: `reaction ${reaction} ${state}, attempt ${attempts}${error === undefined ? "" : `: ${cellText(error)}`}`,
        children: [],
      })),
    },
  ];
}

function askedNodes(asked: Decision["asked"]): Node[] {
  if (asked === undefined) return [];
  const { model, state, choice, why, reason, context, cost_usd = 0 } = asked;
  const because = reason === undefined ? "" : `: ${cellText(reason)}`;
  const outcome = {
    asked: "has not replied yet",
    answered: `chose ${choice}${because}`,
    fallback: `gave no usable reply (${why}); fallback ${choice}`,
  };
  const told = (context?.text ?? "").split("\n").map((line) => ({ text: cellText(line), children: [] }));
  const children = context === undefined ? [] : [{ text: "was told beside the question", children: told }];
  return [{ text: `model ${model} ${outcome[state]}  $${cost_usd.toFixed(4)}`, children }];
}

function deliveryText(delivery: ChainDelivery | undefined): string {
  const { state, attempts = 0, last_status, last_error, next_attempt_at } = delivery ?? { state: "unknown" as const };
  const words = {
    waiting: "waiting",
    delivered: "delivered",
    failed: "given up",
    skipped: "skipped because its endpoint was disabled",
    unknown: "Unknown endpoint, or its record has expired",
  };
  const tried = attempts === 0 ? "" : `, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  const status = last_status === undefined ? "" : `, status ${last_status}`;
  const why = last_error === undefined || state === "delivered" ? "" : `, ${cellText(last_error)}`;
  const next = next_attempt_at === undefined || attempts === 0 ? "" : `, next attempt at ${clock(next_attempt_at)}`;
  return `${words[state]}${tried}${status}${why}${next}`;
}

function deadLetterNode({ id, error, attempts, kind, replayed_at, replay_outcome }: DeadLetter): Node {
  const tried = `${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;
  const done = ["replayed", "already"].includes(replay_outcome ?? "") ? `, replayed ${clock(replayed_at)}` : "";
  return {
    text: `dead letter ${id} (${kind}, ${tried}${done}): ${cellText(error)}`,
    children: [],
  };
}

const isAbout = ({ signal }: DeadLetter, id: string) =>
  typeof signal === "object" && signal !== null && "id" in signal && signal.id === id;

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
