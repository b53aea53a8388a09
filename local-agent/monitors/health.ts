import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { ifThere } from "../base/files/replace-file.ts";
import type { GpuReading } from "../feature/provided.ts";
import { ramPercent } from "../sampler/proc-readings.ts";
import type { Facts, Monitor } from "./monitor.ts";
import { Parts } from "./parts.ts";

export interface HealthOptions {
  /** A path on each file system. */
  readonly disks: readonly string[];
  readonly gpu: () => readonly GpuReading[];
  /** Whether the host's bus accepts connections; absent on a host without a bus. */
  readonly busListens?: () => Promise<boolean>;
  readonly spool: () => { readonly bytes: number; readonly maxBytes: number };
  /** Time limit of the whole monitor, in milliseconds; default 4,000. */
  readonly limitMs?: number;
  /** Default `/proc`. */
  readonly proc?: string;
}

interface Reading {
  readonly kind: string;
  readonly instance?: string;
  readonly value: number;
}

/** Part of a monitor's time limit that one of its parts may take: the answer must not be late for one of them. */
const SHARE_OF_LIMIT = 0.75;

/**
 * Measures the host; the edge compares values with limits. What this host does not have is left out; what it has and
 * cannot be measured now is named in `failed`, so that the edge keeps an alert about it open.
 */
export class HealthMonitor implements Monitor {
  readonly name = "health";
  readonly #options: HealthOptions;
  readonly #parts: Parts;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#parts = new Parts((options.limitMs ?? 4_000) * SHARE_OF_LIMIT);
  }

  async gather(): Promise<Facts> {
    const { disks, gpu, busListens, spool, proc = "/proc" } = this.#options;
    const { values, failed } = await this.#parts.measure<Reading[]>([
      ...disks.map((path) => {
        const instance = path.slice(0, 256);
        return [`disk:${instance}`, async () => reading("disk", await diskPercent(path), instance)] as const;
      }),
      ["memory", async () => reading("memory", await memoryPercent(`${proc}/meminfo`))],
      ["load", () => reading("load", (loadavg()[1] ?? 0) / availableParallelism())],
      [
        "gpu_temperature",
        () =>
          gpu().flatMap(({ index, gpu_temperature_c }) => reading("gpu_temperature", gpu_temperature_c, String(index))),
      ],
      ["bus_down", async () => (busListens === undefined ? [] : reading("bus_down", (await busListens()) ? 0 : 1))],
      ["spool", () => reading("spool", spoolPercent(spool()))],
    ]);
    const readings = values.flatMap(({ value }) => value);
    return { readings, ...(failed.length > 0 && { failed }) };
  }
}

function reading(kind: string, value: number | undefined, instance?: string): Reading[] {
  if (value === undefined) return [];
  return [{ kind, ...(instance !== undefined && { instance }), value: Math.round(value * 100) / 100 }];
}

function spoolPercent({ bytes, maxBytes }: { readonly bytes: number; readonly maxBytes: number }): number {
  return (bytes / maxBytes) * 100;
}

/** @returns `undefined` on a system without such a file */
async function memoryPercent(meminfo: string): Promise<number | undefined> {
  const text = await ifThere(readFile(meminfo, "utf8"));
  if (text === undefined) return undefined;
  const percent = ramPercent(text);
  if (percent === undefined) throw new Error(`${meminfo} does not say how much memory is available`);
  return percent;
}

/** Counts like `df`: blocks reserved for root are neither used nor free. */
async function diskPercent(path: string): Promise<number | undefined> {
  const found = await statfs(path).catch((error: NodeJS.ErrnoException) => {
    // The file system is not mounted now. Without a reading, the edge ends an open alert.
    if (error.code === "ENOENT") return undefined;
    throw new Error(`the file system cannot be measured (${error.code ?? error.message}): check monitors.disks`);
  });
  if (found === undefined) return undefined;
  const used = found.blocks - found.bfree;
  return used + found.bavail === 0 ? undefined : (used / (used + found.bavail)) * 100;
}
