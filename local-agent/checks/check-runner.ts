import { randomBytes } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import * as z from "zod";
import { ApiProblem } from "../../src/client/http/problem-errors.ts";
import { TaskReleased, type Worker, work } from "../../src/client/work/worker.ts";
import { CHECKS_QUEUE, type CheckReport } from "../../src/core/queue/accept.ts";
import type { LeasedTask } from "../../src/core/queue/api.ts";
import { CurrentReport } from "../base/current-report.ts";
import type { Logger } from "../base/log.ts";
import { RUN_VARIABLE } from "../base/process/leftovers.ts";
import { KeptText } from "../base/process/output.ts";
import { endingText, runCommand } from "../base/process/run-command.ts";
import type { Report, ReportingService } from "../base/service.ts";
import { RunMarks } from "./run-marks.ts";
import type { CheckSettings, ChecksFeatureOptions, ChecksSettings } from "./settings.ts";

interface CheckRunnerOptions extends Omit<ChecksFeatureOptions, "checks"> {
  readonly checks: ChecksSettings;
  readonly log: Logger;
  /** Length of a lease, which is how long a task waits after its host was killed; default 15,000. */
  readonly leaseMs?: number;
}

/** Characters of the output that are reported. */
const KEPT_OUTPUT = 16_000;
const LEASE_MS = 15_000;
const STOP_MS = 12_000;
/** Of the agent's environment every program needs these to run at all. */
const PLAIN = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/** What of a run's payload its environment names. The edge wrote it. */
const Subject = z.object({
  task: z.object({ queue: z.string(), task_id: z.string(), attempt: z.int(), worker: z.string().optional() }),
});

/**
 * Runs checks: this host is a worker of the queue of their runs, for each check that its settings name. What runs is the
 * command of the settings; a task brings what it is judged by, on the standard input, and nothing that is executed.
 *
 * A run is leased. Where the agent is killed the lease expires, and the check runs again, here or on another host; the
 * processes that were left are ended when the agent starts.
 */
export class CheckRunner implements ReportingService {
  readonly name = "checks";
  readonly stopMs = STOP_MS;
  readonly #options: CheckRunnerOptions;
  readonly #marks: RunMarks;
  readonly #report = new CurrentReport({ name: "checks", state: "off", detail: "not started", needsEdge: true });
  readonly #counts = new Map<string, { accepted: number; refused: number }>();
  readonly #connected = new Map<string, unknown>();
  #workers: Worker[] = [];
  #stopping = new AbortController();

  constructor(options: CheckRunnerOptions) {
    this.#options = options;
    this.#marks = new RunMarks(join(options.stateDir, "checks"));
  }

  report(): Report {
    return this.#report.value;
  }

  onChange(listener: () => void): () => void {
    return this.#report.onChange(listener);
  }

  /** For the agent's status. */
  get status() {
    return Object.keys(this.#options.checks).map((check) => {
      const { accepted, refused } = this.#counts.get(check) ?? { accepted: 0, refused: 0 };
      return { check, accepted, refused };
    });
  }

  get counts(): { check: string; accepted: "true" | "false"; value: number }[] {
    return this.status.flatMap(({ check, accepted, refused }) => [
      { check, accepted: "true" as const, value: accepted },
      { check, accepted: "false" as const, value: refused },
    ]);
  }

  async start(): Promise<void> {
    if (this.#workers.length > 0) return;
    const { checks, url, token, ecosystem, hostId, log, leaseMs = LEASE_MS } = this.#options;
    const ended = await this.#marks.endLeft();
    if (ended > 0) log.warn({ count: ended }, "checks: ended processes that a killed agent left running");
    this.#stopping = new AbortController();
    this.#report.set("starting", "connecting");
    this.#workers = Object.entries(checks).map(([check, settings]) =>
      work(CHECKS_QUEUE, check, (task, { signal }) => this.#run(check, settings, task, signal), {
        url,
        token,
        ecosystem,
        leaseMs,
        worker: hostId,
        concurrency: settings.concurrency,
        onConnection: (error) => this.#connectionChanged(check, error),
        onRemark: (text) => log.warn(`check ${check}: ${text}`),
      }),
    );
  }

  /** Ends the runs under way and gives them back: another host may begin them at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const workers = this.#workers;
    this.#workers = [];
    await Promise.all(workers.map((worker) => worker.stop()));
    this.#connected.clear();
    this.#report.set("off", "stopped");
  }

  async #run(check: string, settings: CheckSettings, task: LeasedTask, lost: AbortSignal): Promise<CheckReport> {
    const { hostId, configFile } = this.#options;
    const base = configFile === undefined ? process.cwd() : dirname(configFile);
    const run = `check.${randomBytes(8).toString("hex")}`;
    const output = new KeptText(KEPT_OUTPUT);
    await this.#marks.set(run);
    try {
      const { ending, durationMs } = await runCommand({
        command: settings.command,
        cwd: resolve(base, settings.cwd ?? "."),
        env: environmentOf(check, settings, task, run),
        input: JSON.stringify(task.payload),
        timeoutMs: settings.timeout_seconds * 1_000,
        graceMs: settings.grace_ms,
        abort: AbortSignal.any([lost, this.#stopping.signal]),
        onLine: (line) => output.append(`${line}\n`),
        keep: 1,
      }).result;
      if (ending.kind === "aborted") throw new TaskReleased("the agent stops, or the run was taken back");
      const exit_code = ending.kind === "exited" ? ending.code : null;
      this.#count(check, exit_code === 0);
      return { host: hostId, exit_code, ending: endingText(ending), output: output.text, duration_ms: durationMs };
    } finally {
      await this.#marks.clear(run);
    }
  }

  #count(check: string, accepted: boolean): void {
    const counts = this.#counts.get(check) ?? { accepted: 0, refused: 0 };
    this.#counts.set(check, counts);
    counts[accepted ? "accepted" : "refused"]++;
  }

  #connectionChanged(check: string, error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    this.#connected.set(check, error);
    const names = Object.keys(this.#options.checks);
    const wrong = [...this.#connected.values()].find((one) => one !== null);
    if (wrong instanceof ApiProblem && wrong.problem.status === 403)
      this.#report.set("failing", `the token may not run checks: ${wrong.problem.detail ?? wrong.problem.title}`);
    else if (wrong !== undefined) this.#report.set("failing", wrong instanceof Error ? wrong.message : String(wrong));
    else if (this.#connected.size === names.length) this.#report.set("live", `runs ${names.join(", ")}`);
  }
}

/** Nothing of the agent's own but what every program needs and the settings pass on; `null` takes a variable away. */
function environmentOf(check: string, { env, pass_env }: CheckSettings, { payload }: LeasedTask, run: string) {
  const passed = new Set([...PLAIN, ...pass_env]);
  const away = Object.keys(process.env).filter((name) => !passed.has(name));
  const subject = Subject.safeParse(payload).data?.task;
  return {
    ...Object.fromEntries(away.map((name) => [name, null])),
    GANGLION_CHECK: check,
    GANGLION_QUEUE: subject?.queue ?? null,
    GANGLION_TASK_ID: subject?.task_id ?? null,
    GANGLION_TASK_ATTEMPT: subject === undefined ? null : String(subject.attempt),
    GANGLION_TASK_WORKER: subject?.worker ?? null,
    ...env,
    [RUN_VARIABLE]: run,
  };
}
