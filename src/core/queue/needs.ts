/**
 * What a worker must have to be given a task. In a queue each need is one word: a skill as it is, and what is asked of the
 * worker's host with a `=` in it, which no skill has. So tasks with the same needs wait in one line, whatever they need.
 */
export interface Needs {
  readonly skills?: readonly string[] | undefined;
  /** Free memory of one GPU, in MB. */
  readonly gpu_memory_mb?: number | undefined;
  /** Labels of the host, such as `zone`. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** What a worker has: its skills, and what its host has now. */
export interface Abilities {
  readonly size: number;
  has(need: string): boolean;
}

const GPU = "gpu_memory_mb=";
const LABEL = "label:";

export const labelNeed = (name: string, value: string): string => `${LABEL}${name}=${value}`;

/** @returns the words, sorted; `undefined`: nothing is needed */
export function writeNeeds({ skills = [], gpu_memory_mb, labels = {} }: Needs): readonly string[] | undefined {
  const words = [
    ...skills,
    ...(gpu_memory_mb === undefined ? [] : [`${GPU}${gpu_memory_mb}`]),
    ...Object.entries(labels).map(([name, value]) => labelNeed(name, value)),
  ];
  return words.length === 0 ? undefined : [...new Set(words)].sort();
}

/** The needs as callers wrote them. Skills are always there, as they were before hosts could be asked for anything. */
export function readNeeds(words: readonly string[]): Needs & { readonly skills: readonly string[] } {
  const [gpu] = words.flatMap((word) => gpuMemoryOf(word) ?? []);
  const labels = words.filter((word) => word.startsWith(LABEL) && isOfHost(word));
  return {
    skills: words.filter((word) => !isOfHost(word)),
    ...(gpu === undefined ? {} : { gpu_memory_mb: gpu }),
    ...(labels.length === 0
      ? {}
      : {
          labels: Object.fromEntries(labels.map((word) => word.slice(LABEL.length).split("=", 2) as [string, string])),
        }),
  };
}

/** Whether a need is one of the host. */
export const isOfHost = (word: string): boolean => word.includes("=");

/** The free memory of a GPU that a need asks for, in MB; `undefined`: it asks for something else. */
export const gpuMemoryOf = (word: string): number | undefined =>
  word.startsWith(GPU) ? Number(word.slice(GPU.length)) : undefined;
