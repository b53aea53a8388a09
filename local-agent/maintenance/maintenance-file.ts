import { lstat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Client } from "../../src/client/client.ts";
import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { BackOff } from "../base/back-off.ts";
import { DirectoryWatch } from "../base/files/directory-watch.ts";
import { ifThere } from "../base/files/replace-file.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";

export interface MaintenanceFileOptions {
  readonly path: string;
  readonly hostId: string;
  readonly edge: () => Pick<Client, "maintenance" | "setMaintenance">;
  readonly log: Logger;
  /** Milliseconds between two looks at the directory; default 3,000. */
  readonly rescanMs?: number;
  /** Milliseconds of a monotonic clock; default `performance.now`. */
  readonly nowMs?: () => number;
}

/** While the file is there, maintenance is switched on again after this time: the file of another host may have ended it. */
const ASSERT_MS = 60_000;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
const SCOPE_HINT = "the agent's token needs the scope policy:write";

/**
 * Keeps the ecosystem in maintenance while a file is there. Maintenance that people switched on is not ended by a file that
 * goes: the reason tells whose it is. So nothing has to be remembered over a restart.
 */
export class MaintenanceFile implements ReportingService {
  readonly name = "maintenance";
  readonly needsEdge = true;
  readonly #options: MaintenanceFileOptions;
  readonly #reason: string;
  readonly #watch: DirectoryWatch;
  readonly #backOff: BackOff;
  readonly #listeners = new Listeners();
  readonly #nowMs: () => number;
  #running = false;
  #applied: boolean | undefined;
  #appliedMs = 0;
  #failure: string | undefined;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(options: MaintenanceFileOptions) {
    const { path, hostId, log, rescanMs = 3_000, nowMs = () => performance.now() } = options;
    this.#options = options;
    this.#nowMs = nowMs;
    this.#reason = `the file ${path} of host ${hostId}`;
    this.#backOff = new BackOff({
      initialMs: RETRY_MS,
      maxMs: MAX_RETRY_MS,
      nowMs,
      onNewReason: (_, error) => log.warn({ err: error }, "maintenance: the edge cannot be told of the file"),
    });
    this.#watch = new DirectoryWatch({
      directory: dirname(path),
      rescanMs,
      onName: (name) => name === basename(path) && void this.look(),
      onScan: (failure) => {
        if (failure === undefined) void this.look();
        else this.#failed(failure);
      },
      log,
    });
  }

  report(): Report {
    const { path } = this.#options;
    const more = { name: this.name, needsEdge: this.needsEdge } as const;
    if (this.#failure !== undefined) return { ...more, state: "failing", detail: `${path}: ${this.#failure}` };
    if (this.#applied === undefined) return { ...more, state: "starting", detail: path };
    return { ...more, state: "live", detail: `${path} is ${this.#applied ? "there: maintenance is on" : "not there"}` };
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async start(): Promise<void> {
    this.#running = true;
    await this.#watch.start();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#watch.stop();
    await this.#looking;
  }

  /** Looks whether the file is there, and tells the edge of a change. Resolves when that is done, or has failed. */
  look(): Promise<void> {
    this.#again = true;
    this.#looking ??= this.#lookAll().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookAll(): Promise<void> {
    while (this.#again && this.#running) {
      this.#again = false;
      try {
        await this.#apply((await ifThere(lstat(this.#options.path))) !== undefined);
      } catch (error) {
        this.#backOff.failed("edge", error);
        const isForbidden = error instanceof ApiProblem && error.problem.status === 403;
        this.#failed(`${(error as Error).message}${isForbidden ? ` (${SCOPE_HINT})` : ""}`);
      }
    }
  }

  async #apply(isThere: boolean): Promise<void> {
    const isDue = isThere && this.#nowMs() - this.#appliedMs >= ASSERT_MS;
    if ((isThere === this.#applied && !isDue) || this.#backOff.waits("edge")) return;
    const edge = this.#options.edge();
    const { enabled, reason } = await edge.maintenance();
    if (isThere && !enabled) await edge.setMaintenance({ enabled: true, reason: this.#reason });
    if (!isThere && enabled && reason === this.#reason) await edge.setMaintenance({ enabled: false });
    this.#backOff.succeeded("edge");
    this.#applied = isThere;
    this.#appliedMs = this.#nowMs();
    this.#failure = undefined;
    this.#listeners.notify();
  }

  #failed(failure: string): void {
    if (this.#failure === failure) return;
    this.#failure = failure;
    this.#listeners.notify();
  }
}
