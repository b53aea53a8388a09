import type { Attention, AttentionPage } from "../core/attention/api.ts";
import { ATTENTION_CHANGED, CHANGING_SIGNALS } from "../core/attention/ecosystem-state.ts";
import type { Signal } from "../core/signals/signal.ts";
import { AnyAttention, AnyAttentionPage } from "./answers/attention.ts";
import type { CallEdge } from "./http/request.ts";
import { isTransient } from "./http/retry.ts";
import type { FollowOptions } from "./stream/follow.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
  readonly follow: (follow: FollowOptions) => AsyncGenerator<Signal, void, void>;
}

/** What the edge does not tell of, such as a projection that is behind, is looked at this often while somebody watches. */
const LOOK_EVERY_MS = 2_000;
/** Signals that come together lead to one look. */
const TOGETHER_MS = 250;

export interface WatchOptions {
  readonly signal?: AbortSignal;
  /** @see LOOK_EVERY_MS */
  readonly lookEveryMs?: number;
}

/** Calls about what needs somebody. */
export function attentionCalls({ call, inside, follow }: Calls) {
  const here = (): Promise<Attention> => call(AnyAttention, { path: inside("/attention") });
  return {
    here,
    /** A page of all ecosystems that the token may see. @param after - `next` of the page before */
    everywhere: (after?: string): Promise<AttentionPage> =>
      call(AnyAttentionPage, { path: "/v1/attention", query: after === undefined ? {} : { after } }),
    /**
     * What needs somebody, now and each time that it has changed: looked at whenever a signal of the live stream tells of
     * a change.
     */
    async *watch({ signal, lookEveryMs = LOOK_EVERY_MS }: WatchOptions = {}): AsyncGenerator<Attention, void, void> {
      const bell = new Bell();
      const ended = new AbortController();
      const either = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
      const ring = () => bell.ring();
      const signals = [...CHANGING_SIGNALS, ATTENTION_CHANGED];
      const listening = listen(follow({ signals, signal: either, onOpen: ring, onQuiet: ring }), bell);
      let shown = "";
      try {
        while (!either.aborted) {
          // The first look shows whether there is an edge; one that is away later comes back.
          const attention = await here().catch((error: unknown) => {
            if (shown === "" || !isTransient(error)) throw error;
          });
          if (attention !== undefined) {
            const { checked_at: _, ...content } = attention;
            const text = JSON.stringify(content);
            if (text !== shown) yield attention;
            shown = text;
          }
          await bell.rung(lookEveryMs, either);
          await bell.quiet(TOGETHER_MS, either);
          const failure = bell.failure;
          if (failure !== undefined && !either.aborted) throw failure.reason;
        }
      } finally {
        ended.abort();
        await listening;
      }
    },
  };
}

async function listen(signals: AsyncGenerator<Signal, void, void>, bell: Bell): Promise<void> {
  try {
    for await (const _ of signals) bell.ring();
  } catch (reason) {
    bell.failure = { reason };
    bell.ring();
  }
}

/** Wakes one waiter; a ring while nobody waits is remembered. */
class Bell {
  failure: { readonly reason: unknown } | undefined;
  #rings = false;
  #wake: () => void = () => undefined;

  ring(): void {
    this.#rings = true;
    this.#wake();
  }

  /** Resolves when the bell was rung, or after a time, or at the end. */
  async rung(ms: number, end: AbortSignal): Promise<void> {
    if (!this.#rings) await this.#pause(ms, end, true);
    this.#rings = false;
  }

  /** Lets a moment pass, so that what rings meanwhile is one ring. */
  async quiet(ms: number, end: AbortSignal): Promise<void> {
    await this.#pause(ms, end, false);
    this.#rings = false;
  }

  #pause(ms: number, end: AbortSignal, wakes: boolean): Promise<void> {
    if (end.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        end.removeEventListener("abort", done);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      end.addEventListener("abort", done);
      if (wakes) this.#wake = done;
    });
  }
}
