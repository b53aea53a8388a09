import { createInterface } from "node:readline/promises";
import type { Client } from "../../src/client/client.ts";
import type { Attention, AttentionItem } from "../../src/core/attention/api.ts";

export interface DayOptions {
  /** Goes on by itself instead of waiting for Enter. */
  readonly auto: boolean;
  /** A line of JSON for each step, for programs. */
  readonly json: boolean;
}

/** How often hosts that are to come up are looked for. */
const LOOK_EVERY_MS = 500;

/** Plays a day step by step: lets a thing go wrong or be mended, and waits until the attention list shows it. */
export class DayOfTrouble {
  readonly #client: Client;
  readonly #options: DayOptions;
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;
  #latest: Attention | undefined;
  /** When the list first named each cause that stands now. */
  readonly #namedAt = new Map<string, string>();
  #changed: () => void = () => undefined;

  constructor(client: Client, options: DayOptions) {
    this.#client = client;
    this.#options = options;
    this.#watching = this.#watch();
  }

  /** Waits until these hosts are linked. */
  async untilUp(hosts: readonly string[]): Promise<void> {
    for (;;) {
      const agents = await this.#client.agents.list();
      if (hosts.every((name) => agents.some(({ host, state, links }) => host === name && state === "up" && links > 0)))
        return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async goesWrong(what: string, cause: string, happen: () => Promise<void>): Promise<void> {
    await this.#enter(what);
    const startMs = Date.now();
    await happen();
    const item = await this.#until((items) => items.find(({ id }) => id === cause));
    const { severity, effects } = item;
    const times = { detected_at: await this.#detectedAt(item), named_at: this.#namedAt.get(cause) };
    this.tell("wrong", { what, cause, severity, after_ms: Date.now() - startMs, ...times, effects });
  }

  async isMended(what: string, cause: string, mend: (item: AttentionItem) => Promise<void>): Promise<void> {
    await this.#enter(what);
    const item = await this.#until((items) => items.find(({ id }) => id === cause));
    const startMs = Date.now();
    await mend(item);
    const left = await this.#until((items) => (items.some(({ id }) => id === cause) ? undefined : items));
    this.tell("mended", { what, cause, after_ms: Date.now() - startMs, left: left.map(({ id }) => id) });
  }

  /** The causes that stand now, in their order. */
  async causes(): Promise<{ readonly causes: readonly string[] }> {
    return { causes: (await this.#client.attention.here()).items.map(({ id }) => id) };
  }

  tell(step: string, facts: object): void {
    if (this.#options.json) console.log(JSON.stringify({ step, ...facts }));
    else
      console.log(
        `${step}: ${Object.entries(facts)
          .map(([name, fact]) => `${name} ${JSON.stringify(fact)}`)
          .join(", ")}`,
      );
  }

  async end(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    for await (const attention of this.#client.attention.watch({ signal })) {
      this.#latest = attention;
      const causes = new Set(attention.items.map(({ id }) => id));
      for (const cause of this.#namedAt.keys()) if (!causes.has(cause)) this.#namedAt.delete(cause);
      for (const cause of causes) if (!this.#namedAt.has(cause)) this.#namedAt.set(cause, attention.checked_at);
      this.#changed();
    }
  }

  /** When the edge found out: the time of the signal by which it told, or since when it knows of what no signal tells of. */
  async #detectedAt({ chain, since }: AttentionItem): Promise<string | null> {
    return chain === null ? since : (await this.#client.signal(chain)).timestamp;
  }

  /** Waits for what `find` finds in the list as it is shown. */
  async #until<Found>(find: (items: readonly AttentionItem[]) => Found | undefined): Promise<Found> {
    for (;;) {
      const found = this.#latest === undefined ? undefined : find(this.#latest.items);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  async #enter(what: string): Promise<void> {
    if (this.#options.auto) return;
    const prompt = createInterface({ input: process.stdin, output: process.stdout });
    await prompt.question(`Enter: ${what} `);
    prompt.close();
  }
}
