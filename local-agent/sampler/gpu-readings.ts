/** One card. A value that the driver does not know (`[N/A]`) is absent. Names are those of the facts on the wire. */
export interface GpuReading {
  readonly index: number;
  readonly name: string;
  readonly gpu_utilization?: number;
  readonly gpu_memory_used_mb?: number;
  readonly gpu_memory_total_mb?: number;
  readonly gpu_temperature_c?: number;
}

/** The order matters: the name may hold commas, so it comes last. */
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

/** What all cards together show: mean use, memory in sum; with several, each on its own as well. */
export function gpuFacts(cards: readonly GpuReading[]): Record<string, unknown> {
  const use = valuesOf(cards, "gpu_utilization");
  const used = valuesOf(cards, "gpu_memory_used_mb");
  const total = valuesOf(cards, "gpu_memory_total_mb");
  return {
    ...(use.length > 0 && { gpu_utilization: Math.round((sum(use) / use.length) * 10) / 10 }),
    ...(used.length > 0 && { gpu_memory_used_mb: sum(used) }),
    ...(total.length > 0 && { gpu_memory_total_mb: sum(total) }),
    ...(cards.length > 1 && { gpus: cards }),
  };
}

function valuesOf(
  cards: readonly GpuReading[],
  name: "gpu_utilization" | "gpu_memory_used_mb" | "gpu_memory_total_mb",
): number[] {
  return cards.map((card) => card[name]).filter((value) => value !== undefined);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
