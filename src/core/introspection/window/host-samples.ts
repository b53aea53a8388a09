import type { Sample } from "./sample.ts";

/** What a host last said of itself, as queues want it. */
export interface LastOfHost {
  readonly host: string;
  /** When it was measured, in milliseconds since the epoch. */
  readonly atMs: number;
  /** Free memory of the GPU that has the most, in MB; `null`: the host has none, or does not say. */
  readonly gpuFreeMb: number | null;
  /** The busier of CPU and GPU, 0 to 100. */
  readonly load: number;
}

/**
 * The last sample of each of these hosts; a host without one is missing. A sample of a host names it (`facts.host`) and is
 * reported by `host/<name>`, as the agent's own sampler does it.
 *
 * @param samples - oldest first
 */
export function lastOfHosts(samples: readonly Sample[], hosts: readonly string[]): LastOfHost[] {
  const missing = new Map(hosts.map((host) => [`host/${host}`, host]));
  const found: LastOfHost[] = [];
  for (let place = samples.length - 1; place >= 0 && missing.size > 0; place--) {
    const sample = samples[place] as Sample;
    const host = missing.get(sample.reporter);
    if (host === undefined) continue;
    missing.delete(sample.reporter);
    const { cpu_percent: cpu, gpu_utilization: gpu } = sample.facts;
    const load = Math.max(...[cpu, gpu].map((value) => (typeof value === "number" ? value : 0)));
    found.push({
      host,
      atMs: sample.tsMs,
      gpuFreeMb: freeMemory(sample.facts),
      load: Math.min(100, Math.max(0, load)),
    });
  }
  return found;
}

/** A task needs its memory on one GPU: where each is listed, the one with the most counts. */
function freeMemory(facts: Readonly<Record<string, unknown>>): number | null {
  const each = Array.isArray(facts.gpus) ? facts.gpus.flatMap((gpu: unknown) => freeOf(gpu) ?? []) : [];
  return each.length > 0 ? Math.max(...each) : (freeOf(facts) ?? null);
}

function freeOf(gpu: unknown): number | undefined {
  if (typeof gpu !== "object" || gpu === null) return undefined;
  const { gpu_memory_used_mb: used, gpu_memory_total_mb: total } = gpu as Record<string, unknown>;
  return typeof used === "number" && typeof total === "number" ? total - used : undefined;
}
