import { readFile } from "node:fs/promises";
import { CurrentReport } from "../base/current-report.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import type { GpuReading } from "../feature/provided.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import type { Spool } from "../store/spool.ts";
import { gpuFacts } from "./gpu-readings.ts";
import { type CpuTimes, cpuPercent, ramPercent, readCpuTimes } from "./proc-readings.ts";

export interface HostSamplerOptions {
  readonly hostId: string;
  readonly intervalMs: number;
  readonly spool: Spool;
  /** Newest readings of the GPUs; empty on a host without any. */
  readonly gpu: () => readonly GpuReading[];
  readonly now: () => number;
  readonly log: Logger;
  /** Default `/proc`. */
  readonly proc?: string;
  /** Milliseconds until a system that had no /proc is looked at again; default 60,000. */
  readonly retryMs?: number;
}

const RETRY_MS = 60_000;

/** Measures this host at regular intervals: one `OBSERVATION` each time, with the values that could be measured. */
export class HostSampler implements ReportingService {
  readonly name = "sampler";
  readonly #options: HostSamplerOptions;
  readonly #report = new CurrentReport({ name: "sampler", state: "starting", detail: "not started" });
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  #sampling: Promise<void> = Promise.resolve();
  #isSampling = false;
  #before: CpuTimes | undefined;
  #intervalMs: number;

  constructor(options: HostSamplerOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs;
  }

  /** Takes effect at once. */
  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    if (!this.#running || this.#report.value.state === "absent") return;
    clearTimeout(this.#timer);
    // A sample that is being taken schedules the next one itself, with the new interval.
    if (!this.#isSampling) this.#schedule(intervalMs);
    this.#live();
  }

  report(): Report {
    return this.#report.value;
  }

  onChange(listener: () => void): () => void {
    return this.#report.onChange(listener);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#begin();
  }

  async #begin(): Promise<void> {
    try {
      this.#before = readCpuTimes(await this.#read("stat"));
    } catch {
      this.#report.set("absent", "this system has no /proc to measure");
      // It may be mounted later, as in a container that is still being set up.
      if (this.#running) this.#timer = setTimeout(() => void this.#begin(), this.#options.retryMs ?? RETRY_MS);
      return;
    }
    if (!this.#running) return;
    this.#live();
    // CPU use is the difference of two readings; the first sample need not wait for a whole interval.
    this.#schedule(Math.min(this.#intervalMs, 1_000));
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    await this.#sampling;
  }

  #schedule(ms: number): void {
    if (!this.#running) return;
    this.#timer = setTimeout(() => {
      this.#isSampling = true;
      this.#sampling = this.#sample().finally(() => {
        this.#isSampling = false;
        this.#schedule(this.#intervalMs);
      });
    }, ms);
  }

  async #sample(): Promise<void> {
    const { spool, log } = this.#options;
    try {
      const taken = takeIn(await this.#observation(), this.#options.now());
      if (!taken.ok) throw new Error(`the sample is not a valid signal: ${errorsText(taken.errors)}`);
      await spool.put("local", [taken.signal]);
      this.#live();
    } catch (error) {
      log.error({ err: error }, "sampler: a sample was lost");
      this.#report.set("failing", (error as Error).message);
    }
  }

  async #observation(): Promise<Record<string, unknown>> {
    const { hostId, gpu } = this.#options;
    const [stat, meminfo] = await Promise.all([this.#read("stat"), this.#read("meminfo")]);
    const times = readCpuTimes(stat);
    const cpu = this.#before === undefined || times === undefined ? undefined : cpuPercent(this.#before, times);
    const ram = ramPercent(meminfo);
    this.#before = times;
    return {
      signal: "OBSERVATION",
      source: `sampler/${hostId}`,
      facts: {
        zooid: `host/${hostId}`,
        ok: true,
        host: hostId,
        niche: "host",
        ...(cpu !== undefined && { cpu_percent: cpu }),
        ...(ram !== undefined && { ram_percent: ram }),
        ...gpuFacts(gpu()),
      },
    };
  }

  #read(file: string): Promise<string> {
    return readFile(`${this.#options.proc ?? "/proc"}/${file}`, "utf8");
  }

  #live(): void {
    this.#report.set("live", `every ${this.#intervalMs / 1000} s`);
  }
}
