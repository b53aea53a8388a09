import { type Forward, fateOf, forwardRun } from "../../core/federation/forward-run.ts";
import { bridgeSource } from "../../core/signals/bridge-names.ts";
import type { BridgeNumbers } from "./bridge-numbers.ts";
import type { EffectFates, EffectOutbox, PendingEffect, WaitingEffect } from "./effect-outbox.ts";
import type { AppendCalls } from "./outbox-relay.ts";

/** Renewals of the numbers in one run: one is enough, whatever happened to the two ecosystems. */
const MAX_RENEWALS = 3;

export interface ForwardRelayOptions {
  /** Ecosystem that forwards. */
  readonly own: string;
  readonly effects: EffectOutbox;
  readonly numbers: BridgeNumbers;
  readonly logOf: (ecosystem: string) => AppendCalls;
  readonly transaction: (change: () => void) => void;
  /** Why the author of an effect may not reach into the other ecosystem; `undefined`: the author may. */
  readonly refusal: (pending: PendingEffect) => Promise<string | undefined>;
  /** Is notified of what became of the signals. */
  readonly fates: () => EffectFates | undefined;
}

/**
 * Appends forwarded signals to the logs of other ecosystems, each once: what is sent again after a crash has the numbers
 * that the log has seen. Where the numbers stand for other signals there, because one of the two ecosystems was restored
 * from a copy, what waits goes on under a new producer.
 */
export class ForwardRelay {
  readonly #options: ForwardRelayOptions;

  constructor(options: ForwardRelayOptions) {
    this.#options = options;
  }

  /** Delivers all that waits for one ecosystem. @returns false: the log is overloaded, and is tried again */
  async deliver(receiver: string, ecosystem: string): Promise<boolean> {
    const { effects, logOf } = this.#options;
    for (let renewals = 0; ; ) {
      const rows = effects.next(receiver);
      const [head] = rows;
      if (head === undefined) return true;
      const reason = await this.#options.refusal(head.pending);
      if (reason !== undefined) {
        this.#refuse(receiver, rows, reason);
        continue;
      }
      const run = forwardRun(rows.map(({ pending }) => this.#forwardOf(pending)));
      const { producer, first, signals } = run;
      // Compared as the numbers of hosts are: this ecosystem may have been set back.
      const outcome = await logOf(ecosystem).append({ producer: { name: producer, first, remote: true }, signals });
      const fate = fateOf(run, outcome);
      if (fate === undefined) return false;
      if (fate.renew && ++renewals > MAX_RENEWALS)
        throw new Error(`the log of ${ecosystem} takes no name of ${producer}`);
      const held = rows[fate.held - 1];
      this.#options.transaction(() => {
        if (held !== undefined) effects.forget(receiver, held.number);
        if (fate.renew) this.#renew(receiver, ecosystem);
      });
    }
  }

  /** The rows from the first on whose author is that of the first. */
  #refuse(receiver: string, rows: readonly WaitingEffect[], reason: string): void {
    const { effects, fates, transaction } = this.#options;
    const [head] = rows;
    const end = rows.findIndex(({ pending }) => pending.author !== head?.pending.author);
    const meant = end < 0 ? rows : rows.slice(0, end);
    transaction(() => {
      for (const { pending } of meant) fates()?.refused?.(pending, reason);
      effects.forget(receiver, meant.at(-1)?.number ?? 0);
    });
  }

  #forwardOf({ id, author, effect, trace, depth, hops = 0 }: PendingEffect): Forward {
    if (effect.kind !== "forward")
      throw new Error(`an effect of the kind ${effect.kind} waits among forwarded signals`);
    const { own } = this.#options;
    const { signal, facts, timestamp, via } = effect;
    return {
      id,
      author,
      signal: {
        id: undefined,
        signal,
        source: bridgeSource(own),
        timestampMs: Date.parse(timestamp),
        factsJson: JSON.stringify(facts),
        cause: undefined,
        trace,
        depth,
        via: { ...via, ecosystem: own },
        hops: hops + 1,
      },
    };
  }

  /** Numbers all that waits anew. */
  #renew(receiver: string, ecosystem: string): void {
    const { effects, numbers, fates } = this.#options;
    const [head] = effects.next(receiver, 1);
    numbers.renew(ecosystem, head?.pending.id ?? "");
    effects.renameAll(receiver, (pending) => {
      const id = numbers.next(ecosystem);
      fates()?.renamed?.(pending, id);
      return { ...pending, id };
    });
  }
}
