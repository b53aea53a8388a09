import { readFileSync } from "node:fs";
import { descendants } from "../../../bench/process-memory.ts";
import type { RunningEdge } from "../../harness/running-edge.ts";
import type { Findings } from "./findings.ts";

const EVERY_MS = 250;
const GONE_MS = 15_000;
const MEMORY_EVERY_MS = 5_000;

/** Asks an edge all the time how it is, and measures the memory of its runtime. */
export class EdgeWatch {
  readonly #edge: RunningEdge;
  readonly #findings: Findings;
  readonly #recent: () => unknown;
  readonly #healthyMs: number;
  readonly #memory: { readonly atMs: number; readonly bytes: number }[] = [];
  readonly #startedMs = performance.now();
  #slowestMs = 0;
  #asked = 0;
  #stopped = false;
  #running: Promise<void> | undefined;

  /**
   * @param recent - inputs of the last moments, which a hang is kept with
   * @param healthyMs - `/healthz` answers within this time, whatever the edge does meanwhile
   */
  constructor(edge: RunningEdge, findings: Findings, recent: () => unknown, healthyMs: number) {
    this.#edge = edge;
    this.#findings = findings;
    this.#recent = recent;
    this.#healthyMs = healthyMs;
  }

  start(): void {
    this.#running = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  get slowestMs(): number {
    return Math.round(this.#slowestMs);
  }

  get asked(): number {
    return this.#asked;
  }

  /** Resident memory of the runtime, in bytes: at a time after the start, and now. */
  memory(afterMs: number): { readonly then: number; readonly now: number } {
    const then = this.#memory.find(({ atMs }) => atMs >= afterMs) ?? this.#memory.at(-1);
    return { then: then?.bytes ?? 0, now: this.#memory.at(-1)?.bytes ?? 0 };
  }

  async #watch(): Promise<void> {
    let measuredMs = Number.NEGATIVE_INFINITY;
    while (!this.#stopped) {
      const beganMs = performance.now();
      await this.#ask();
      if (beganMs - measuredMs > MEMORY_EVERY_MS) {
        measuredMs = beganMs;
        this.#memory.push({ atMs: beganMs - this.#startedMs, bytes: residentBytes(this.#edge.process.pid) });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - (performance.now() - beganMs))));
    }
  }

  async #ask(): Promise<void> {
    const beganMs = performance.now();
    this.#asked++;
    let problem: string | undefined;
    try {
      const response = await fetch(`${this.#edge.url}/healthz`, { signal: AbortSignal.timeout(GONE_MS) });
      await response.arrayBuffer();
      if (response.status !== 200) problem = `/healthz answered ${response.status}`;
    } catch (error) {
      if (!this.#stopped) problem = `/healthz did not answer: ${String(error)}`;
    }
    const tookMs = performance.now() - beganMs;
    this.#slowestMs = Math.max(this.#slowestMs, tookMs);
    if (problem === undefined && tookMs > this.#healthyMs) problem = `/healthz took ${Math.round(tookMs)} ms`;
    if (problem === undefined) return;
    const what = problem.startsWith("/healthz took") ? "/healthz is slow" : "/healthz does not answer";
    this.#findings.add({ what, seen: problem, input: this.#recent() });
  }
}

/** Resident memory of the runtime that a process of the edge has started, in bytes. */
function residentBytes(pid: number): number {
  let bytes = 0;
  for (const child of descendants(pid)) {
    try {
      const [, kilobytes = "0"] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child}/status`, "utf8")) ?? [];
      const name = readFileSync(`/proc/${child}/comm`, "utf8").trim();
      if (name.startsWith("workerd")) bytes = Math.max(bytes, Number(kilobytes) * 1_024);
    } catch {
      // The process has ended since it was listed.
    }
  }
  return bytes;
}
