import { readFileSync } from "node:fs";
import { createClient } from "../../src/client/client.ts";
import type { EcosystemStatus } from "../../src/core/deployment/api.ts";
import type { LiveLine } from "./live-line.ts";

const ANSWER_WITHIN_MS = 2_000;

export interface FeedOptions {
  readonly url: string;
  readonly tokenPath: string;
  readonly ecosystem: string;
}

const fetchSoon: typeof fetch = (input, init) =>
  fetch(input, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });

/** Updates the live line from the edge's status for as long as the edge runs. */
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
      // Read each time: the token in the file may have been replaced.
      const token = readFileSync(tokenPath, "utf8").trim();
      return this.#describe(await createClient({ url, token, ecosystem, fetch: fetchSoon }).status());
    } catch (error) {
      return `no status: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  #describe(status: Pick<EcosystemStatus, "log" | "window" | "gaps">): string {
    const last = this.#last;
    const now = { headSeq: status.log.head_seq, atMs: performance.now() };
    this.#last = now;
    const perSecond = last === undefined ? 0 : ((now.headSeq - last.headSeq) * 1000) / (now.atMs - last.atMs);
    return describeStatus(status, perSecond);
  }
}

/** @param perSecond - rate of signals appended since the previous line */
export function describeStatus(
  { log, window, gaps }: Pick<EcosystemStatus, "log" | "window" | "gaps">,
  perSecond: number,
): string {
  return [
    `${perSecond >= 100 ? Math.round(perSecond) : perSecond.toFixed(1)} signals/s`,
    `${log.head_seq} in the log`,
    `${window.size} observations in the window`,
    `${gaps.open} open ${gaps.open === 1 ? "gap" : "gaps"}`,
    `${log.hosts.length} ${log.hosts.length === 1 ? "host" : "hosts"} linked`,
  ].join(" · ");
}
