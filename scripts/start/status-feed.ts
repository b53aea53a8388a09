import { readFileSync } from "node:fs";
import type { LogStatus } from "../../src/core/log/log-api.ts";
import type { LiveLine } from "./live-line.ts";

/** Answer of `GET /v1/{eco}/status`, as far as it is shown. */
export interface EcosystemStatus {
  readonly log: LogStatus;
  readonly window: { readonly size: number };
  readonly gaps: { readonly open: number };
}

const ANSWER_WITHIN_MS = 2_000;

export interface FeedOptions {
  readonly url: string;
  readonly tokenPath: string;
  readonly ecosystem: string;
}

/** Keeps the live line true for as long as the edge runs. */
export class StatusFeed {
  readonly #options: FeedOptions;
  readonly #line: LiveLine;
  #timer: NodeJS.Timeout | undefined;
  #last: { readonly headSeq: number; readonly atMs: number } | undefined;
  #stopped = false;

  constructor(options: FeedOptions, line: LiveLine) {
    this.#options = options;
    this.#line = line;
    void this.#tick();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#line.clear();
  }

  async #tick(): Promise<void> {
    const text = await this.#read();
    if (this.#stopped) return;
    this.#line.show(text);
    // After the answer, not beside it: an edge under load is not asked faster than it answers.
    this.#timer = setTimeout(() => void this.#tick(), this.#line.intervalMs);
  }

  async #read(): Promise<string> {
    const { url, tokenPath, ecosystem } = this.#options;
    try {
      const response = await fetch(`${url}/v1/${ecosystem}/status`, {
        headers: { authorization: `Bearer ${readFileSync(tokenPath, "utf8").trim()}` },
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (!response.ok) return `the edge answers ${response.status} when asked for its status`;
      return this.#describe((await response.json()) as EcosystemStatus);
    } catch (error) {
      return `the edge does not answer: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  #describe(status: EcosystemStatus): string {
    const last = this.#last;
    const now = { headSeq: status.log.head_seq, atMs: performance.now() };
    this.#last = now;
    const perSecond = last === undefined ? 0 : ((now.headSeq - last.headSeq) * 1000) / (now.atMs - last.atMs);
    return describeStatus(status, perSecond);
  }
}

/** @param perSecond - signals taken since the line before */
export function describeStatus({ log, window, gaps }: EcosystemStatus, perSecond: number): string {
  return [
    `${perSecond >= 100 ? Math.round(perSecond) : perSecond.toFixed(1)} signals/s`,
    `${log.head_seq} in the log`,
    `${window.size} observations in the window`,
    `${gaps.open} open ${gaps.open === 1 ? "gap" : "gaps"}`,
    `${log.hosts.length} ${log.hosts.length === 1 ? "host" : "hosts"} linked`,
  ].join(" · ");
}
