import type { EdgePartView } from "../../src/core/hosts/edge-parts.ts";
import {
  EDGE_PARTS,
  type EdgeRound,
  EdgeVitals,
  type Moment,
  type VitalChange,
  type VitalsLimits,
} from "../../src/core/hosts/edge-vitals.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { EdgeLink } from "../feature/edge-link.ts";
import type { EdgeNotices } from "./edge-notices.ts";

export interface EdgeWatchOptions {
  readonly link: EdgeLink;
  readonly limits: VitalsLimits;
  readonly notices: Pick<EdgeNotices, "start" | "stop" | "silent" | "add">;
  /** Publishes on the host's own bus, and nowhere else. */
  readonly announce: (signal: "Q_EDGE_SILENT" | "Q_EDGE_BACK", facts: Readonly<Record<string, unknown>>) => void;
  readonly now: () => number;
  /** A clock that nobody sets; default: the process's own. */
  readonly steady?: () => number;
  readonly log: Logger;
}

/**
 * The host's half of the two-way dead man's switch: tells on this host that the edge, its cron or its queue has been silent
 * for long, and that it is back. These signals do not go into the spool: when the edge could read them, it is there again.
 *
 * What is silent, and what is still to be told, outlives the agent: each silence is told once, and so is its end.
 */
export class EdgeWatch implements Service {
  readonly name = "edge watch";
  readonly #options: EdgeWatchOptions;
  #vitals: EdgeVitals | undefined;
  #limits: VitalsLimits;
  #timer: NodeJS.Timeout | undefined;
  #endOnChange: (() => void) | undefined;

  constructor(options: EdgeWatchOptions) {
    this.#options = options;
    this.#limits = options.limits;
  }

  /** Since when the edge is silent, RFC 3339; `null` while the edge is not silent. */
  get silentSince(): string | null {
    return this.#since("edge");
  }

  get parts(): EdgePartView[] {
    return EDGE_PARTS.map((part) => {
      const silence = this.#vitals?.silent[part];
      if (silence === undefined) return { part, state: "alive" };
      return { part, state: "silent", since: new Date(silence.sinceMs).toISOString(), reason: silence.reason };
    });
  }

  /** The times count from when they began. A silence that was told stays told. */
  setLimits(limits: VitalsLimits): void {
    this.#limits = limits;
    if (this.#vitals === undefined) return;
    this.#vitals.limits = limits;
    this.#go((vitals, at) => vitals.advance(at));
  }

  async start(): Promise<void> {
    if (this.#endOnChange !== undefined) return;
    const { link, notices } = this.#options;
    await notices.start();
    this.#vitals = new EdgeVitals(this.#limits, notices.silent, this.#now, link.state.detail);
    this.#endOnChange = link.onChange(() => this.#look());
    this.#look();
  }

  async stop(): Promise<void> {
    this.#endOnChange?.();
    this.#endOnChange = undefined;
    clearTimeout(this.#timer);
    await this.#options.notices.stop();
  }

  /** The edge asks this host something. @param round - what the edge says of its round; `undefined`: nothing */
  asked(round: EdgeRound | undefined): void {
    this.#go((vitals, at) => vitals.asked(round, at));
  }

  #look(): void {
    const { state, detail } = this.#options.link.state;
    this.#go((vitals, at) => (state === "connected" ? vitals.linked(at) : vitals.lost(detail, at)));
  }

  #go(step: (vitals: EdgeVitals, at: Moment) => void): void {
    const vitals = this.#vitals;
    if (vitals === undefined || this.#endOnChange === undefined) return;
    step(vitals, this.#now);
    const changes = vitals.drain();
    // Written before anybody is told: a restart knows what was told, and goes on with what was not.
    if (changes.length > 0) this.#options.notices.add(vitals.silent, changes);
    for (const change of changes) this.#tell(change);
    clearTimeout(this.#timer);
    const { nextMs } = vitals;
    if (nextMs === undefined) return;
    const inMs = Math.min(Math.max(0, nextMs - this.#now.steadyMs), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#go((one, at) => one.advance(at)), Math.ceil(inMs));
  }

  #tell({ part, state, sinceMs, seconds, reason }: VitalChange): void {
    const { log, announce } = this.#options;
    const since = new Date(sinceMs).toISOString();
    const what = part === "edge" ? "the edge" : `the edge's ${part}`;
    if (state === "silent") {
      const wait = part === "edge" ? "; signals wait in the spool" : "";
      log.warn({ since, part }, `${what} has been silent since ${since}: ${reason}${wait}`);
      announce("Q_EDGE_SILENT", { part, since, reason });
    } else {
      log.info({ since, part }, `${what} is back`);
      announce("Q_EDGE_BACK", { part, since, silent_seconds: seconds });
    }
  }

  #since(part: "edge"): string | null {
    const silence = this.#vitals?.silent[part];
    return silence === undefined ? null : new Date(silence.sinceMs).toISOString();
  }

  get #now(): Moment {
    const { now, steady = () => performance.now() } = this.#options;
    return { steadyMs: steady(), wallMs: now() };
  }
}
