import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { LinkState } from "../link/link.ts";

export interface EdgeWatchOptions {
  readonly link: { readonly state: LinkState; onChange(listener: () => void): () => void };
  /** The link away for so long, in milliseconds, is said. */
  readonly silentMs: number;
  /** Says it on the host's own bus, and nowhere else. */
  readonly announce: (signal: "Q_EDGE_SILENT" | "Q_EDGE_BACK", facts: Readonly<Record<string, unknown>>) => void;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Notices that the edge has been away for long, and says so where it can be heard: on this host. What it says does not
 * go into the spool: by the time that the edge could read it, it knows.
 */
export class EdgeWatch implements Service {
  readonly name = "edge watch";
  readonly #options: EdgeWatchOptions;
  #awayMs: number | undefined;
  #silent = false;
  #timer: NodeJS.Timeout | undefined;
  #endOnChange: (() => void) | undefined;
  #silentMs: number;

  constructor(options: EdgeWatchOptions) {
    this.#options = options;
    this.#silentMs = options.silentMs;
  }

  /** Since when the edge is silent, RFC 3339; `null` while it is not. */
  get silentSince(): string | null {
    return this.#silent && this.#awayMs !== undefined ? new Date(this.#awayMs).toISOString() : null;
  }

  /** Counts from when the edge went away. What has been said is not taken back. */
  setSilentMs(silentMs: number): void {
    this.#silentMs = silentMs;
    if (this.#awayMs === undefined || this.#silent) return;
    clearTimeout(this.#timer);
    this.#wait(this.#awayMs + silentMs - this.#options.now());
  }

  async start(): Promise<void> {
    if (this.#endOnChange !== undefined) return;
    this.#endOnChange = this.#options.link.onChange(() => this.#look());
    this.#look();
  }

  async stop(): Promise<void> {
    this.#endOnChange?.();
    this.#endOnChange = undefined;
    clearTimeout(this.#timer);
  }

  #look(): void {
    const { link, now } = this.#options;
    if (link.state.state === "connected") return this.#back();
    if (this.#awayMs !== undefined) return;
    this.#awayMs = now();
    this.#wait(this.#silentMs);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#tell(), Math.max(0, ms));
  }

  #tell(): void {
    const { link, log, announce } = this.#options;
    this.#silent = true;
    const since = this.silentSince;
    log.warn({ since }, `the edge has been silent since ${since}: ${link.state.detail}; signals wait in the spool`);
    announce("Q_EDGE_SILENT", { since, reason: link.state.detail });
  }

  #back(): void {
    const { now, log, announce } = this.#options;
    clearTimeout(this.#timer);
    const since = this.silentSince;
    const awayMs = this.#awayMs;
    this.#silent = false;
    this.#awayMs = undefined;
    if (since === null || awayMs === undefined) return;
    log.info({ since }, "the edge is back");
    announce("Q_EDGE_BACK", { since, silent_seconds: Math.round((now() - awayMs) / 1_000) });
  }
}
