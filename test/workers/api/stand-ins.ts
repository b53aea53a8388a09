import { DurableObject } from "cloudflare:workers";
import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";
import type { Gap } from "../../../src/core/gaps/gap.ts";
import type { AppendOutcome, AppendRequest, LogStatus, ReadPage, ReadQuery } from "../../../src/core/log/log-api.ts";
import type { ObservationsPage } from "../../../src/core/observations/observation.ts";
import type { Decision } from "../../../src/core/policy/decision.ts";
import { compilePatterns } from "../../../src/core/signals/pattern.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

/**
 * STAND-INS, for the API's tests alone, where the real Durable Objects are not at hand: the simplest thing that keeps the
 * RPC contract, in memory. The tests do not know of them; with the real classes behind the bindings this file goes.
 */
export class SignalLog extends DurableObject {
  readonly #signals: Signal[] = [];
  readonly #streams = new Set<{ socket: WebSocket; wants: (name: string) => boolean }>();

  append({ signals }: AppendRequest): AppendOutcome {
    if (this.ctx.id.name === "overloaded") {
      return { overloaded: true, retry_after_ms: 1_500, detail: "more is waiting than may wait" };
    }
    const seqs: number[] = [];
    const ids: string[] = [];
    let duplicates = 0;
    for (const { id = crypto.randomUUID(), signal, source, timestampMs, factsJson, cause, trace } of signals) {
      ids.push(id);
      const known = this.#signals.find((kept) => kept.id === id);
      if (known !== undefined) {
        duplicates += 1;
        seqs.push(known.seq);
        continue;
      }
      const now = new Date().toISOString();
      const kept: Signal = {
        seq: this.#signals.length + 1,
        id,
        signal,
        source,
        ecosystem: this.ctx.id.name ?? "",
        timestamp: timestampMs === undefined ? now : new Date(timestampMs).toISOString(),
        received_at: now,
        facts: JSON.parse(factsJson),
        ...(cause === undefined ? {} : { cause }),
        ...(trace === undefined ? {} : { trace }),
      };
      this.#signals.push(kept);
      seqs.push(kept.seq);
      for (const { socket, wants } of this.#streams) if (wants(signal)) push(socket, [kept]);
    }
    return {
      first_seq: Math.min(...seqs),
      last_seq: Math.max(...seqs),
      accepted: ids.length - duplicates,
      duplicates,
      ids,
    };
  }

  read({ signals, source, after, sinceMs, untilMs, limit, order }: ReadQuery): ReadPage {
    const wants = compilePatterns(signals);
    const all = order === "asc" ? this.#signals : this.#signals.toReversed();
    const found = all.filter((kept) => {
      const ms = Date.parse(kept.timestamp);
      const behind = after === undefined || (order === "asc" ? kept.seq > after : kept.seq < after);
      return (
        behind &&
        wants(kept.signal) &&
        (source === undefined || kept.source === source) &&
        (sinceMs === undefined || ms >= sinceMs) &&
        (untilMs === undefined || ms < untilMs)
      );
    });
    const page = found.slice(0, limit);
    const next = found.length > limit ? (page.at(-1)?.seq ?? null) : null;
    return { lines: page.map((kept) => JSON.stringify(kept)), next };
  }

  find(id: string): string | null {
    const found = this.#signals.find((kept) => kept.id === id);
    return found === undefined ? null : JSON.stringify(found);
  }

  status(): LogStatus {
    const head_seq = this.#signals.length;
    return {
      head_seq,
      oldest_seq: head_seq > 0 ? 1 : null,
      signals_last_minute: head_seq,
      subscribers: this.#streams.size,
      hosts: [],
    };
  }

  override fetch(request: Request): Response {
    const url = new URL(request.url);
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    if (url.pathname.endsWith("/link")) {
      server.send(JSON.stringify({ type: "linked", path: url.pathname, host: url.searchParams.get("host") }));
    } else {
      const wants = compilePatterns(url.searchParams.getAll("signal"));
      const after = url.searchParams.get("after") ?? String(this.#signals.length);
      const missed = this.#signals.filter(({ seq, signal }) => seq > Number(after) && wants(signal));
      if (missed.length > 0) push(server, missed);
      const stream = { socket: server, wants };
      this.#streams.add(stream);
      server.addEventListener("close", () => {
        this.#streams.delete(stream);
        server.close();
      });
    }
    const protocol = request.headers.get("sec-websocket-protocol");
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: protocol === null ? {} : { "Sec-WebSocket-Protocol": protocol },
    });
  }
}

function push(socket: WebSocket, signals: readonly Signal[]): void {
  socket.send(JSON.stringify({ type: "signals", last: signals.at(-1)?.seq, signals }));
}

export class ObservationCache extends DurableObject {
  observations({ seconds }: { seconds: number }): ObservationsPage {
    return { observations: [], window_seconds: seconds, size: 0, oldest: null, newest: null };
  }
  gaps(): Gap[] {
    return [];
  }
  scanners(): [] {
    return [];
  }
}

export class PolicyState extends DurableObject {
  decisions(): { decisions: Decision[]; next: null } {
    return { decisions: [], next: null };
  }
  policies(): unknown[] {
    return [];
  }
}

export class DeadLetters extends DurableObject {
  list(): { dead_letters: DeadLetter[]; next: null } {
    return { dead_letters: [], next: null };
  }
}
