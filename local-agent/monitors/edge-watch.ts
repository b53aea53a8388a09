import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { EdgeLink } from "../feature/edge-link.ts";

export interface EdgeWatchOptions {
  readonly link: EdgeLink;
  /** Milliseconds without a link after which the edge counts as silent. */
  readonly silentMs: number;
  /** Publishes on the host's own bus, and nowhere else. */
  readonly announce: (signal: "Q_EDGE_SILENT" | "Q_EDGE_BACK", facts: Readonly<Record<string, unknown>>) => void;
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Announces on this host that the edge has been silent for long, and that it is back. These signals do not go into the
 * spool: when the edge could read them, the link is open again and the edge knows.
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

  /** Since when the edge is silent, RFC 3339; `null` while the edge is not silent. */
  get silentSince(): string | null {
    return this.#silent && this.#awayMs !== undefined ? new Date(this.#awayMs).toISOString() : null;
  }

  /** The time counts from when the link was lost. A silence that was announced stays announced. */
  setSilentMs(silentMs: number): void {
    this.#silentMs = silentMs;
    if (this.#awayMs === undefined || this.#silent) return;
    clearTimeout(this.#timer);
    this.#wait(this.#awayMs + silentMs - this.#options.now());
  }

  async start(): Promise<void> {
    if (this.#endOnChange !== undefined) return;
    this.#endOnChange = this.#options.link.onChange(() => this.#check());
    this.#check();
  }

  async stop(): Promise<void> {
    this.#endOnChange?.();
    this.#endOnChange = undefined;
    clearTimeout(this.#timer);
  }

  #check(): void {
    const { link, now } = this.#options;
    if (link.state.state === "connected") return this.#announceBack();
    if (this.#awayMs !== undefined) return;
    this.#awayMs = now();
    this.#wait(this.#silentMs);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#announceSilence(), Math.max(0, ms));
  }

  #announceSilence(): void {
    const { link, log, announce } = this.#options;
    this.#silent = true;
    const since = this.silentSince;
    log.warn({ since }, `the edge has been silent since ${since}: ${link.state.detail}; signals wait in the spool`);
    announce("Q_EDGE_SILENT", { since, reason: link.state.detail });
  }

  #announceBack(): void {
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
