import type { PlacementVariables } from "../../core/deployment/placement.ts";
import { type ProfileVariable, paceOf, type ReportPace, reportsMetrics } from "../../core/deployment/profile.ts";
import type { StateReport } from "../../core/metrics/report.ts";
import { logLine } from "./log-line.ts";
import { type Namespace, objectNamed } from "./ports.ts";
import type { UsageStore } from "./usage-store.ts";

/** An object that nobody wants to hear of asks again after this time, in milliseconds. */
const UNWANTED_MS = 10 * 60_000;
/** A state that has not changed is reported again after this time, in milliseconds, to say that it is still so. */
const SAME_MS = 60_000;

/** A report on its way to the directory. */
export interface NewReport {
  readonly ecosystem: string;
  /** Name of the class, and after a slash that of the queue or the relay. */
  readonly object: string;
  readonly body: string;
}

/** The call that objects make of the directory. */
export interface ReportBindings {
  /** @returns whether anybody scrapes the ecosystem */
  readonly DIRECTORY: Namespace<{ reportState(report: NewReport): Promise<boolean> }>;
}

/** What a class tells of itself, beyond what every object does. */
export type OwnState = Pick<StateReport, "samples" | "folded" | "sent" | "cursor">;

interface StateReportsParts {
  readonly env: unknown;
  /** Name of the class. */
  readonly of: string;
  readonly objectName: string;
  readonly used: UsageStore;
  readonly databaseSize: () => number;
  /** Default: those of the runtime. */
  readonly timers?: Pick<typeof globalThis, "setTimeout" | "clearTimeout">;
  /** Nothing may be reported now: the object is being copied or deleted. */
  readonly suspended: () => boolean;
  /** Has the object woken at a time, after which {@link StateReports.changed} is called; absent: the class has no alarm. */
  readonly wakeBy: ((atMs: number) => void) | undefined;
}

const NOTHING: OwnState = { samples: [], folded: 0 };

/**
 * Reports the state of an object to the directory while the object works, so that a scrape asks the directory alone and
 * wakes nobody. Where nobody scrapes, an object only asks whether somebody does, once in ten minutes.
 */
export class StateReports {
  readonly #parts: StateReportsParts;
  readonly #pace: ReportPace;
  readonly #off: boolean;
  #own: () => OwnState = () => NOTHING;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notBeforeMs = 0;
  /** For when the object has asked to be woken. */
  #wakesMs = 0;
  #unwantedUntilMs = 0;
  #sent: { readonly body: string; readonly atMs: number } | undefined;

  constructor(parts: StateReportsParts) {
    this.#parts = parts;
    this.#pace = reportPace(parts.env);
    this.#off = parts.of === "Directory" || (isVariables(parts.env) && !reportsMetrics(parts.env));
  }

  /**
   * @param own - counters must be those that are written: the runtime holds the report back until the writes of the
   * same turn are on the disk, and no longer
   */
  of(own: () => OwnState): void {
    this.#own = own;
  }

  /** Whether a timer keeps the object in memory. */
  get holdsTimer(): boolean {
    return this.#timer !== undefined;
  }

  /** Something happened in the object. */
  changed(nowMs: number): void {
    if (this.#off || this.#timer !== undefined || nowMs < this.#unwantedUntilMs) return;
    const { gatherMs, everyMs, longestTimerMs } = this.#pace;
    const waitMs = Math.max(gatherMs, this.#notBeforeMs - nowMs);
    if (waitMs > gatherMs && longestTimerMs < everyMs && this.#wakes()) return;
    this.#timer = (this.#parts.timers ?? globalThis).setTimeout(
      () => void this.#report(),
      Math.min(waitMs, longestTimerMs),
    );
  }

  /** Leaves the report to later work of the object, or to the alarm where there is none. */
  #wakes(): boolean {
    const { wakeBy, suspended, used } = this.#parts;
    if (wakeBy === undefined) return false;
    if (this.#wakesMs < this.#notBeforeMs && !suspended() && used.holdsSomething) {
      this.#wakesMs = this.#notBeforeMs;
      wakeBy(this.#notBeforeMs);
    }
    return true;
  }

  /** Reports at once what waits to be reported. */
  async flush(): Promise<void> {
    if (this.#timer === undefined) return;
    (this.#parts.timers ?? globalThis).clearTimeout(this.#timer);
    await this.#report();
  }

  async #report(): Promise<void> {
    const nowMs = Date.now();
    this.#notBeforeMs = nowMs + this.#pace.everyMs;
    this.#timer = undefined;
    const { env, of, objectName, suspended } = this.#parts;
    if (suspended() || !hasDirectory(env)) return;
    try {
      const body = this.#body();
      if (body === undefined) return;
      const sent = this.#sent;
      if (sent !== undefined && body === sent.body && nowMs - sent.atMs < SAME_MS) return;
      const end = objectName.indexOf("/");
      const [ecosystem, object] =
        end === -1 ? [objectName, of] : [objectName.slice(0, end), of + objectName.slice(end)];
      const report = { ecosystem, object, body };
      if (await objectNamed(env.DIRECTORY, "directory", env).reportState(report)) this.#sent = { body, atMs: nowMs };
      else this.#unwantedUntilMs = nowMs + UNWANTED_MS;
    } catch (error) {
      // The next change reports what is then.
      logLine("warn", "state-not-reported", { object: of, error });
    }
  }

  /** @returns `undefined`: the object holds nothing, and must leave nothing of itself elsewhere */
  #body(): string | undefined {
    const { of, used, databaseSize } = this.#parts;
    if (!used.holdsSomething) return undefined;
    return JSON.stringify({
      object: of,
      usage: used.stored(),
      database_bytes: databaseSize(),
      ...this.#own(),
    } satisfies StateReport);
  }
}

/** How often objects report, by the variables of the deployment. */
export const reportPace = (env: unknown): ReportPace => paceOf(isVariables(env) ? env : {}).reports;

type Variables = ProfileVariable & PlacementVariables;

const isVariables = (env: unknown): env is Variables => typeof env === "object" && env !== null;

const hasDirectory = (env: unknown): env is Variables & ReportBindings => isVariables(env) && "DIRECTORY" in env;
