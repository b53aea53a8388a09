import { unionOfPatterns } from "../../core/signals/pattern-union.ts";
import { logLine } from "../shell/log-line.ts";
import type { Connection } from "../signals/connection.ts";

export interface RelaySubscriptionsOptions {
  /** Tells the log what the relay is to be sent from now on. @returns the end of the log */
  readonly subscribe: (patterns: readonly string[]) => Promise<number>;
  readonly connections: () => readonly Connection[];
  /** Waits before a call that failed is made again. */
  readonly pause: (failures: number) => Promise<void>;
}

const TRIES = 4;

/**
 * What a relay is subscribed to at the log: what any of its links is. A link's subscription begins where the log ended when
 * the log knew its patterns; so from there on, nothing that it matches is missing in what the log delivers.
 */
export class RelaySubscriptions {
  readonly #options: RelaySubscriptionsOptions;
  /** Lists that links have asked for and that are not their subscription yet, in the order of their frames. */
  readonly #asked = new Map<Connection, (readonly string[])[]>();
  #told: string | undefined;
  #head = 0;
  /** The call that will tell the log of what is asked for now. */
  #next: Promise<number> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RelaySubscriptionsOptions) {
    this.#options = options;
  }

  /** The end of the log, as far as the relay knows it. */
  get head(): number {
    return this.#head;
  }

  /** After a hibernation: links that have been sent less than others read the rest from the log. */
  restore(): void {
    const connections = this.#options.connections();
    for (const { subscription } of connections) this.reached(subscription?.sent ?? 0);
    for (const connection of connections) {
      const { subscription } = connection;
      connection.behind = subscription !== undefined && subscription.sent < this.#head;
    }
  }

  /** Another log: nothing that was known of the one before holds for it. */
  restart(): void {
    this.#head = 0;
    this.#told = undefined;
  }

  reached(seq: number): void {
    this.#head = Math.max(this.#head, seq);
  }

  /** @returns the end of the log: what the link's patterns match behind it is delivered */
  subscribing(connection: Connection, patterns: readonly string[]): Promise<number> {
    this.#asked.set(connection, [...(this.#asked.get(connection) ?? []), patterns]);
    return this.#tell();
  }

  /** Tells the log where links have gone, and the relay needs less. */
  async shrink(): Promise<void> {
    if (JSON.stringify(this.#union()) === this.#told) return;
    // The relay is sent more than it needs until the next time.
    await this.#tell().catch((error: unknown) => logLine("warn", "log-unreachable", { object: "links", error }));
  }

  /** One call at a time; those who ask meanwhile share the next one. */
  #tell(): Promise<number> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#last.then(() => {
      this.#next = undefined;
      return this.#call();
    });
    this.#next = next;
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #call(): Promise<number> {
    for (let tries = 1; ; tries++) {
      const union = this.#union();
      try {
        const end = await this.#options.subscribe(union);
        this.#told = JSON.stringify(union);
        this.reached(end);
        return end;
      } catch (error) {
        if (tries >= TRIES) throw error;
        await this.#options.pause(tries);
      }
    }
  }

  #union(): string[] {
    const lists: (readonly string[])[] = [];
    const open = new Set(this.#options.connections());
    for (const connection of this.#asked.keys()) if (!open.has(connection)) this.#asked.delete(connection);
    for (const connection of open) {
      const present = connection.subscription?.patterns;
      const asked = this.#asked.get(connection) ?? [];
      // Everything up to the one that is its subscription now has been dealt with.
      const waiting = present === undefined ? asked : asked.slice(asked.lastIndexOf(present) + 1);
      if (waiting.length === 0) this.#asked.delete(connection);
      else this.#asked.set(connection, waiting);
      if (present !== undefined) lists.push(present);
      lists.push(...waiting);
    }
    const wanting = lists.filter((list) => !matchesNothing(list));
    return wanting.length === 0 ? [] : unionOfPatterns(wanting);
  }
}

/** Whether a list excludes every name: hosts that need no signals subscribe so. */
function matchesNothing(list: readonly string[]): boolean {
  return list.includes("!*");
}
