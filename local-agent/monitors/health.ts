import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import type { GpuReading } from "../feature/provided.ts";
import { ramPercent } from "../sampler/proc-readings.ts";
import type { Facts, Monitor } from "./monitor.ts";

export interface HealthOptions {
  /** A path on each file system. */
  readonly disks: readonly string[];
  readonly gpu: () => readonly GpuReading[];
  /** Whether the host's bus accepts connections; absent on a host without a bus. */
  readonly busListens?: () => Promise<boolean>;
  readonly spool: () => { readonly bytes: number; readonly maxBytes: number };
  /** Default `/proc`. */
  readonly proc?: string;
}

interface Reading {
  readonly kind: string;
  readonly instance?: string;
  readonly value: number;
}

/** Measures the host. Values that cannot be measured are left out; the edge compares values with limits. */
export class HealthMonitor implements Monitor {
  readonly name = "health";
  readonly #options: HealthOptions;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  async gather(): Promise<Facts> {
    const { disks, gpu, busListens, spool, proc = "/proc" } = this.#options;
    const { bytes, maxBytes } = spool();
    const [memory, bus, ...used] = await Promise.all([
      readFile(`${proc}/meminfo`, "utf8").then(ramPercent, () => undefined),
      busListens?.(),
      ...disks.map(diskPercent),
    ]);
    const [, load = 0] = loadavg();
    const readings: Reading[] = [
      ...disks.flatMap((instance, place) => reading("disk", used[place], instance)),
      ...reading("memory", memory),
      ...reading("load", load / availableParallelism()),
      ...gpu().flatMap(({ index, gpu_temperature_c }) => reading("gpu_temperature", gpu_temperature_c, String(index))),
      ...reading("bus_down", bus === undefined ? undefined : bus ? 0 : 1),
      ...reading("spool", (bytes / maxBytes) * 100),
    ];
    return { readings };
  }
}

function reading(kind: string, value: number | undefined, instance?: string): Reading[] {
  if (value === undefined) return [];
  return [
    { kind, ...(instance !== undefined && { instance: instance.slice(0, 256) }), value: Math.round(value * 100) / 100 },
  ];
}

/** Counts like `df`: blocks reserved for root are neither used nor free. */
async function diskPercent(path: string): Promise<number | undefined> {
  try {
    const { blocks, bfree, bavail } = await statfs(path);
    const used = blocks - bfree;
    return used + bavail === 0 ? undefined : (used / (used + bavail)) * 100;
  } catch (error) {
    // The file system is not mounted now. Without a reading, the edge ends an open alert.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
