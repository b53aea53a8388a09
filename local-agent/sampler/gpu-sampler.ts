import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ExponentialBackoff, type IBackoff, noJitterGenerator } from "cockatiel";
import { CurrentReport } from "../base/current-report.ts";
import type { Logger } from "../base/log.ts";
import { cleanEnvironment } from "../base/process/clean-environment.ts";
import { signalGroup } from "../base/process/process-group.ts";
import type { Report, ReportingService } from "../base/service.ts";
import type { GpuReading } from "../feature/provided.ts";
import { GPU_QUERY, readGpuLine } from "./gpu-readings.ts";

export interface GpuSamplerOptions {
  /** Milliseconds between two readings. */
  readonly intervalMs: number;
  readonly now: () => number;
  readonly log: Logger;
  /** Default `nvidia-smi`, found on the PATH. */
  readonly command?: string;
  /** Pauses between two failed runs, in milliseconds; default 1,000 to 300,000. */
  readonly backOff?: { readonly initialMs: number; readonly maxMs: number };
  /**
   * Longest time without a reading, in milliseconds; then the tool is ended and started again. Default: three intervals and
   * a second, 10 s at least, and 30 s at least before the first reading, because the driver may have to start.
   */
  readonly staleMs?: number;
}

/** From SIGTERM to SIGKILL. */
const KILL_MS = 2_000;
const STALE_MS = 10_000;
const FIRST_READING_MS = 30_000;

/**
 * Reads the GPUs of this host from one long-lived nvidia-smi: to start the tool costs far more than a reading, and must
 * not block the event loop. A host without the tool has no NVIDIA GPU, which is no failure; the tool is looked for again
 * from time to time, because a driver may be installed later. A tool that runs and gives no readings is ended and started
 * again.
 */
export class GpuSampler implements ReportingService {
  readonly name = "gpu";
  readonly #options: GpuSamplerOptions;
  readonly #gpus = new Map<number, { reading: GpuReading; atMs: number }>();
  readonly #report = new CurrentReport({ name: "gpu", state: "starting", detail: "not started" });
  #running = false;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #backOff: IBackoff<unknown> | undefined;
  /** Output of the tool that is no reading. */
  #errorText = "";
  #intervalMs: number;
  #startedMs = 0;
  #lastMs: number | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** Why the tool was ended by this sampler. */
  #endedBecause: string | undefined;

  constructor(options: GpuSamplerOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs;
  }

  /** Restarts the tool, because its interval is an argument of its command line. */
  async setInterval(intervalMs: number): Promise<void> {
    if (this.#intervalMs === intervalMs) return;
    this.#intervalMs = intervalMs;
    if (!this.#running) return;
    await this.stop();
    await this.start();
  }

  /** The newest reading of each GPU; a GPU without a recent reading is left out. */
  readings(): GpuReading[] {
    const since = this.#options.now() - this.#intervalMs * 3 - 1_000;
    return [...this.#gpus.values()]
      .filter(({ atMs }) => atMs >= since)
      .map(({ reading }) => reading)
      .sort((a, b) => a.index - b.index);
  }

  report(): Report {
    return this.#report.value;
  }

  onChange(listener: () => void): () => void {
    return this.#report.onChange(listener);
  }

  /** Resolves when the tool was started, or could not be. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#run();
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#retry);
    clearTimeout(this.#watch);
    if (this.#child === undefined) return;
    const force = this.#end(this.#child);
    await this.#ended;
    clearTimeout(force);
  }

  /** Ends the tool and what it has started: it may be a script. @returns the timer of SIGKILL */
  #end({ pid }: ChildProcess): NodeJS.Timeout | undefined {
    if (pid === undefined) return undefined;
    signalGroup(pid, "SIGTERM");
    return setTimeout(() => signalGroup(pid, "SIGKILL"), KILL_MS);
  }

  #run(): Promise<void> {
    const { command = "nvidia-smi" } = this.#options;
    const child = spawn(
      command,
      [`--query-gpu=${GPU_QUERY}`, "--format=csv,noheader,nounits", "-lms", String(this.#intervalMs)],
      {
        stdio: ["ignore", "pipe", "pipe"],
        // Numbers with a decimal point. The tool needs no secrets of the agent.
        env: cleanEnvironment(process.env, { LC_ALL: "C" }),
        detached: true,
      },
    );
    this.#child = child;
    this.#errorText = "";
    this.#endedBecause = undefined;
    this.#startedMs = this.#options.now();
    this.#lastMs = undefined;
    this.#watchIn(this.#patienceMs);
    // "exit" and not "close": another process may hold the pipes open.
    this.#ended = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.#receive(line));
    createInterface({ input: child.stderr }).on("line", (line) => this.#noteError(line));
    child.once("exit", (code, signal) => this.#exited(signal ?? `status ${code}`));
    return new Promise((resolve) => {
      child.once("spawn", () => resolve());
      child.once("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") this.#absent("no nvidia-smi on this host");
        else this.#exited(error.message);
        resolve();
      });
    });
  }

  #receive(line: string): void {
    const reading = readGpuLine(line);
    if (reading === undefined) {
      // The tool writes its errors to standard output: "NVIDIA-SMI has failed because …", "No devices were found".
      this.#noteError(line);
      return;
    }
    // What a tool prints while it is being ended does not make it live.
    if (this.#endedBecause !== undefined) return;
    const nowMs = this.#options.now();
    this.#backOff = undefined;
    this.#lastMs = nowMs;
    this.#gpus.set(reading.index, { reading, atMs: nowMs });
    const silent = [...this.#gpus.values()].find(({ atMs }) => nowMs - atMs > this.#patienceMs);
    if (silent === undefined) {
      const names = [...this.#gpus.values()].map((gpu) => gpu.reading.name);
      this.#change("live", names.join(" + "));
    } else {
      const { index, name } = silent.reading;
      this.#change("failing", `GPU ${index} (${name}) has given no reading since ${timeText(silent.atMs)}`);
    }
  }

  get #patienceMs(): number {
    const { staleMs } = this.#options;
    if (staleMs !== undefined) return staleMs;
    const usual = Math.max(STALE_MS, this.#intervalMs * 3 + 1_000);
    return this.#lastMs === undefined ? Math.max(usual, FIRST_READING_MS) : usual;
  }

  #watchIn(ms: number): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#lookForSilence(), ms);
  }

  #lookForSilence(): void {
    const child = this.#child;
    if (!this.#running || child === undefined) return;
    const sinceMs = this.#lastMs ?? this.#startedMs;
    const leftMs = sinceMs + this.#patienceMs - this.#options.now();
    if (leftMs > 0) return this.#watchIn(leftMs);
    this.#endedBecause = `nvidia-smi has given no reading since ${timeText(sinceMs)}; it is started again`;
    this.#gpus.clear();
    this.#change("failing", this.#endedBecause);
    const force = this.#end(child);
    void this.#ended.then(() => clearTimeout(force));
  }

  #noteError(line: string): void {
    if (line.trim() !== "" && this.#errorText.length < 300)
      this.#errorText = `${this.#errorText} ${line.trim()}`.trim();
  }

  #exited(how: string): void {
    this.#child = undefined;
    this.#gpus.clear();
    clearTimeout(this.#watch);
    if (!this.#running) return;
    const none = this.#errorText.includes("No devices were found");
    const detail = `nvidia-smi ended (${how})${this.#errorText === "" ? "" : `: ${this.#errorText.slice(0, 300)}`}`;
    if (none) this.#change("absent", "no NVIDIA GPU on this host");
    else this.#change("failing", this.#endedBecause ?? detail);
    this.#runLater();
  }

  #absent(detail: string): void {
    this.#child = undefined;
    clearTimeout(this.#watch);
    this.#change("absent", detail);
    if (this.#running) this.#runLater();
  }

  #runLater(): void {
    const { initialMs, maxMs } = this.#options.backOff ?? { initialMs: 1_000, maxMs: 300_000 };
    const first = new ExponentialBackoff({ generator: noJitterGenerator, initialDelay: initialMs, maxDelay: maxMs });
    const backOff = (this.#backOff ?? first).next(undefined);
    this.#backOff = backOff;
    this.#retry = setTimeout(() => void this.#run(), backOff.duration);
  }

  #change(state: Report["state"], detail: string): void {
    if (this.#report.set(state, detail) && state === "failing") this.#options.log.warn(`gpu: ${detail}`);
  }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
