import type { GpuReading } from "../feature/provided.ts";

/** The name comes last, because it may contain commas. */
export const GPU_QUERY = "index,utilization.gpu,memory.used,memory.total,temperature.gpu,name";

/** Reads one line of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`. @returns `undefined` for anything else */
export function readGpuLine(line: string): GpuReading | undefined {
  const [index, utilization, used, total, temperature, ...name] = line.split(",");
  if (index === undefined || !/^\s*\d+\s*$/.test(index) || name.length === 0) return undefined;
  return {
    index: Number(index),
    name: name.join(",").trim(),
    ...known("gpu_utilization", utilization),
    ...known("gpu_memory_used_mb", used),
    ...known("gpu_memory_total_mb", total),
    ...known("gpu_temperature_c", temperature),
  };
}

function known<Name extends string>(name: Name, text: string | undefined): { [name in Name]?: number } {
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return (Number.isFinite(value) ? { [name]: value } : {}) as { [name in Name]?: number };
}

/** Facts of all GPUs together: mean utilisation and total memory; with several GPUs, also each one's reading. */
export function gpuFacts(gpus: readonly GpuReading[]): Record<string, unknown> {
  const use = valuesOf(gpus, "gpu_utilization");
  const used = valuesOf(gpus, "gpu_memory_used_mb");
  const total = valuesOf(gpus, "gpu_memory_total_mb");
  return {
    ...(use.length > 0 && { gpu_utilization: Math.round((sum(use) / use.length) * 10) / 10 }),
    ...(used.length > 0 && { gpu_memory_used_mb: sum(used) }),
    ...(total.length > 0 && { gpu_memory_total_mb: sum(total) }),
    ...(gpus.length > 1 && { gpus }),
  };
}

function valuesOf(
  gpus: readonly GpuReading[],
  name: "gpu_utilization" | "gpu_memory_used_mb" | "gpu_memory_total_mb",
): number[] {
  return gpus.map((gpu) => gpu[name]).filter((value) => value !== undefined);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
