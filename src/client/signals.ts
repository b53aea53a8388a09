import { Lineage } from "../core/lineage/api.ts";
import { AppendResult, SignalPage } from "../core/signals/api.ts";
import { Signal, type SignalInput } from "../core/signals/signal.ts";
import type { Call } from "./http/exchange.ts";
import type { CallEdge } from "./http/request.ts";
import { uuid7 } from "./http/uuid7.ts";
import { type FollowOptions, followLog } from "./stream/follow.ts";
import type { SignalSource } from "./stream/signal-source.ts";

export interface SignalQuery {
  readonly signals?: readonly string[];
  readonly source?: string;
  readonly after?: number;
  /** RFC 3339 or seconds since the epoch. */
  readonly since?: string | number;
  readonly until?: string | number;
  readonly limit?: number;
  readonly order?: "asc" | "desc";
  /** A condition in CEL, such as `facts.cpu_percent > 90.0`. */
  readonly filter?: string;
}

interface SignalCallsOptions {
  readonly call: CallEdge;
  readonly withRetries: <Answer>(attempt: () => Promise<Answer>, signal?: AbortSignal) => Promise<Answer>;
  readonly inside: (path: string) => string;
  readonly openStream: (
    path: string,
    query: NonNullable<Call["query"]>,
    signal: AbortSignal | undefined,
  ) => Promise<SignalSource>;
}

/** Calls about signals and the log. */
export function signalCalls({ call, withRetries, inside, openStream }: SignalCallsOptions) {
  const at = (id: string, path = "") => inside(`/signals/${encodeURIComponent(id)}${path}`);
  const signals = ({ signals: names, ...query }: SignalQuery = {}, { signal }: { signal?: AbortSignal } = {}) =>
    call(SignalPage, {
      path: inside("/signals"),
      query: { signal: names ?? [], ...query },
      signal,
    });

  return {
    /**
     * Emits signals, all or none: at most 1,000 and 1 MiB. A signal without an id gets one here, so that a retry after a
     * lost answer stores no signal twice.
     */
    emit(
      emitted: SignalInput | readonly SignalInput[],
      { signal }: { signal?: AbortSignal } = {},
    ): Promise<AppendResult> {
      const withId = (one: SignalInput) => ({ ...one, id: one.id ?? uuid7() });
      const body = isList(emitted) ? emitted.map(withId) : withId(emitted);
      return withRetries(() => call(AppendResult, { method: "POST", path: inside("/signals"), body, signal }), signal);
    },

    signals,
    signal: (id: string) => call(Signal, { path: at(id) }),
    lineage: (id: string) => call(Lineage, { path: at(id, "/lineage") }),

    /** Signals as they come, each once, across lost connections. See {@link FollowOptions}. */
    async *follow(follow: FollowOptions = {}): AsyncGenerator<Signal, void, void> {
      // "From now on" is resolved to a sequence number before the stream opens: a connection that is lost before the first
      // signal resumes there and misses no signal.
      const after = follow.after ?? (await signals({ order: "desc", limit: 1 })).signals[0]?.seq ?? 0;
      const open = (from: number) =>
        openStream(inside("/signals/stream"), { after: from, signal: follow.signals ?? [] }, follow.signal);
      yield* followLog(after, open, follow);
    },
  };
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: SignalInput | readonly SignalInput[]): value is readonly SignalInput[] {
  return Array.isArray(value);
}
