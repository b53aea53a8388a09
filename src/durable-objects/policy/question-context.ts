import type { AgentPage, AgentView } from "../../core/hosts/api.ts";
import type { Gap } from "../../core/introspection/api.ts";
import type { WantedContext } from "../../core/policy/ask-context.ts";
import type { Decision, DecisionsPage, DecisionsQuery } from "../../core/policy/decision.ts";
import { boundContext, type ContextLines, type GatheredContext } from "../../core/policy/gathered-context.ts";
import type { ReadPage, ReadQuery } from "../../core/signals/api.ts";
import { globMatches } from "../../core/signals/pattern.ts";
import type { Signal } from "../../core/signals/signal.ts";
import { readSignalLine } from "../../core/signals/signal-line.ts";

/** Pages that are read for one part at most: a search that finds little must not read the whole log. */
const MAX_PAGES = 10;

export interface ContextPorts {
  readonly decisions: { list(query: DecisionsQuery): DecisionsPage };
  read(query: ReadQuery): Promise<ReadPage>;
  gaps(status: "open"): Promise<Gap[]>;
  agent(host: string): Promise<AgentView | null>;
  agents(query: { after?: string }): Promise<AgentPage>;
}

/** Gathers what a question tells a model beside its prompt, from the log, the gaps, the decisions and the hosts. */
export class QuestionContext {
  readonly #ports: ContextPorts;

  constructor(ports: ContextPorts) {
    this.#ports = ports;
  }

  /**
   * A part that cannot be read is left out, and named with the reason.
   *
   * @param before - the signal that the question is about, and the decision that asks: only what came before them is told
   */
  async gather(wanted: WantedContext, before: { readonly seq: number; readonly id: string }): Promise<GatheredContext> {
    const { signals, gaps, decisions, hosts } = wanted;
    const [ofLog, ofGaps, ofDecisions, ofHosts] = await Promise.all([
      signals.length === 0 ? undefined : linesOf(() => this.#signals(signals, before.seq)),
      gaps === null ? undefined : linesOf(() => this.#gaps(gaps)),
      decisions === null ? undefined : linesOf(async () => this.#decisions(decisions, before.id)),
      hosts === null ? undefined : linesOf(() => this.#hosts(hosts)),
    ]);
    return boundContext({
      ...(ofLog && { signals: ofLog }),
      ...(ofGaps && { gaps: ofGaps }),
      ...(ofDecisions && { decisions: ofDecisions }),
      ...(ofHosts && { hosts: ofHosts }),
    });
  }

  async #signals(searches: WantedContext["signals"], seq: number): Promise<unknown[]> {
    const found = new Map<number, Signal>();
    for (const search of searches) for (const signal of await this.#search(search, seq)) found.set(signal.seq, signal);
    return [...found.values()]
      .sort((a, b) => b.seq - a.seq)
      .map(({ signal, source, timestamp, facts }) => ({ signal, source, at: timestamp, facts }));
  }

  async #search({ patterns, where, sinceMs, atMost }: WantedContext["signals"][number], seq: number) {
    const found: Signal[] = [];
    const values = Object.entries(where).map(([name, value]) => [name, JSON.stringify(value)] as const);
    let after = seq;
    for (let pages = 0; pages < MAX_PAGES && found.length < atMost; pages++) {
      const query = { signals: patterns, sinceMs, after, limit: Math.max(atMost, 100), order: "desc" } as const;
      const { lines, next } = await this.#ports.read(query);
      for (const line of lines) {
        const signal = readSignalLine(line);
        if (values.every(([name, value]) => JSON.stringify(signal.facts[name]) === value)) found.push(signal);
      }
      if (next === null) break;
      after = next;
    }
    return found.slice(0, atMost);
  }

  async #gaps({ names, atMost }: NonNullable<WantedContext["gaps"]>): Promise<unknown[]> {
    const gaps = (await this.#ports.gaps("open")).filter(({ name }) => names === null || isNamed(name, names));
    return gaps
      .sort((a, b) => b.last_seen_at.localeCompare(a.last_seen_at))
      .slice(0, atMost)
      .map(({ name, category, reason, alignment_score, raised_at, reopened }) => ({
        gap: name,
        category,
        reason,
        score: alignment_score,
        since: raised_at,
        ...(reopened === undefined ? {} : { reopened }),
      }));
  }

  #decisions({ rules, sinceMs, atMost }: NonNullable<WantedContext["decisions"]>, own: string): unknown[] {
    // One more than asked for: the decision that asks may be among them.
    const found = rules.flatMap((rule) => this.#ports.decisions.list({ rule, sinceMs, limit: atMost + 1 }).decisions);
    return found
      .filter(({ id }) => id !== own)
      .sort((a, b) => b.decided_at.localeCompare(a.decided_at) || b.signal.seq - a.signal.seq)
      .slice(0, atMost)
      .map(shownDecision);
  }

  async #hosts({ names, atMost }: NonNullable<WantedContext["hosts"]>): Promise<unknown[]> {
    const views: AgentView[] = [];
    if (names.every((name) => !name.includes("*"))) {
      for (const name of names.slice(0, atMost)) {
        const view = await this.#ports.agent(name);
        if (view !== null) views.push(view);
      }
    } else {
      let after: string | undefined;
      for (let pages = 0; pages < MAX_PAGES && views.length < atMost; pages++) {
        const page = await this.#ports.agents(after === undefined ? {} : { after });
        views.push(...page.agents.filter(({ host }) => isNamed(host, names)));
        if (page.next === null) break;
        after = page.next;
      }
    }
    return views
      .slice(0, atMost)
      .map(({ host, state, since, reason, alerts, failing }) => ({ host, state, since, reason, alerts, failing }));
  }
}

const isNamed = (name: string, patterns: readonly string[]) => patterns.some((pattern) => globMatches(pattern, name));

async function linesOf(read: () => Promise<readonly unknown[]>): Promise<ContextLines> {
  try {
    return { lines: await read() };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

function shownDecision({ rule, signal, decided_at, outcome, reason, asked }: Decision): unknown {
  return {
    rule,
    on: signal.signal,
    at: decided_at,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(asked?.choice === undefined ? {} : { choice: asked.choice, model: asked.state === "answered" }),
  };
}
