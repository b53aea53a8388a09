import type { GpuReading } from "../feature/provided.ts";

/** The name comes last, because it may contain commas. */
export const GPU_QUERY = "index,utilization.gpu,memory.used,memory.total,temperature.gpu,name";

/** Fields before the name. */
const VALUES = 5;
const NUMBER = /^\s*-?\d+([.,]\d+)?\s*$/;

/**
 * Reads one line of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`. A number may have a decimal comma: the tool
 * separates fields by a comma and a blank. A line without blanks in which a comma could be either is not read.
 *
 * @returns `undefined` for anything else
 */
export function readGpuLine(line: string): GpuReading | undefined {
  const [index, utilization, used, total, temperature, ...name] = fieldsOf(line);
  if (index === undefined || !/^\s*\d+\s*$/.test(index) || name.length === 0) return undefined;
  return {
    index: Number(index),
    name: name.join(", ").trim(),
    ...known("gpu_utilization", utilization),
    ...known("gpu_memory_used_mb", used),
    ...known("gpu_memory_total_mb", total),
    ...known("gpu_temperature_c", temperature),
  };
}

function fieldsOf(line: string): string[] {
  const fields = line.split(/,\s+/);
  if (fields.length > VALUES) return fields;
  const bare = line.split(",");
  // One more number than there are values: at least one of the commas is a decimal one, and nobody knows which.
  return NUMBER.test(bare[VALUES] ?? "") ? [] : bare;
}

function known<Name extends string>(name: Name, text: string | undefined): { [name in Name]?: number } {
  const value = text !== undefined && NUMBER.test(text) ? Number(text.replace(",", ".")) : Number.NaN;
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
