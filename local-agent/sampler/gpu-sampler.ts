import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ExponentialBackoff, type IBackoff, noJitterGenerator } from "cockatiel";
import { CurrentReport } from "../base/current-report.ts";
import type { Logger } from "../base/log.ts";
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
}

/** From SIGTERM to SIGKILL. */
const KILL_MS = 2_000;

/**
 * Reads the GPUs of this host from one long-lived nvidia-smi: to start the tool costs far more than a reading, and must
 * not block the event loop. A host without the tool has no NVIDIA GPU, which is no failure.
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
    const child = this.#child;
    if (child === undefined) return;
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), KILL_MS);
    await this.#ended;
    clearTimeout(force);
  }

  #run(): Promise<void> {
    const { command = "nvidia-smi" } = this.#options;
    const child = spawn(
      command,
      [`--query-gpu=${GPU_QUERY}`, "--format=csv,noheader,nounits", "-lms", String(this.#intervalMs)],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    this.#child = child;
    this.#errorText = "";
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
        if (error.code === "ENOENT") this.#change("absent", "no nvidia-smi on this host");
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
    this.#backOff = undefined;
    this.#gpus.set(reading.index, { reading, atMs: this.#options.now() });
    const names = [...this.#gpus.values()].map((gpu) => gpu.reading.name);
    this.#change("live", names.join(" + "));
  }

  #noteError(line: string): void {
    if (line.trim() !== "" && this.#errorText.length < 300)
      this.#errorText = `${this.#errorText} ${line.trim()}`.trim();
  }

  #exited(how: string): void {
    this.#child = undefined;
    this.#gpus.clear();
    if (!this.#running) return;
    const none = this.#errorText.includes("No devices were found");
    const detail = `nvidia-smi ended (${how})${this.#errorText === "" ? "" : `: ${this.#errorText.slice(0, 300)}`}`;
    if (none) this.#change("absent", "no NVIDIA GPU on this host");
    else this.#change("failing", detail);
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
