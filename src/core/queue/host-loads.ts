import { gpuMemoryOf, isOfHost } from "./needs.ts";

/** What a host last said of itself. */
export interface HostSample {
  readonly host: string;
  /** When it was measured, in milliseconds since the epoch. */
  readonly atMs: number;
  /** Free memory of the GPU that has the most, in MB; `null`: the host has none, or does not say. */
  readonly gpuFreeMb: number | null;
  /** The busier of CPU and GPU, 0 to 100. */
  readonly load: number;
}

/** A sample that is older says nothing any more: no task is given by it. */
export const SAMPLE_AGE_MS = 60_000;
/** A task takes its memory some time after it was given: until a sample is so much younger, the task is counted beside it. */
const SETTLE_MS = 15_000;

const FORGOTTEN_MS = 3_600_000;

interface Given {
  readonly taskId: string;
  readonly leaseId: string;
  readonly mb: number;
  readonly atMs: number;
}

interface LeasedTask {
  readonly taskId: string;
  readonly needs?: readonly string[] | undefined;
  readonly lease: { readonly id: string; readonly startedMs: number } | null;
}

/**
 * Which hosts have room for what, by their last samples and by the tasks that they were given since. Has no clock: the queue
 * sets the time before it hands out.
 */
export class HostLoads {
  readonly #samples = new Map<string, HostSample>();
  readonly #given = new Map<string, Given[]>();
  readonly #holds: (taskId: string, leaseId: string) => boolean;
  nowMs = 0;

  /** @param holds - whether a lease is still held */
  constructor(holds: (taskId: string, leaseId: string) => boolean) {
    this.#holds = holds;
  }

  /** Takes the last samples of hosts. A host without a new one keeps its old one, whose age says what it is worth. */
  update(samples: readonly HostSample[]): void {
    for (const sample of samples) this.#samples.set(sample.host, sample);
    // Hosts come and go.
    for (const [host, { atMs }] of this.#samples) if (this.nowMs - atMs > FORGOTTEN_MS) this.#samples.delete(host);
  }

  /** Whether the host has ever said anything of itself. */
  knows(host: string): boolean {
    return this.#samples.has(host);
  }

  /** Whether a task that needs so much memory of a GPU finds it on the host. */
  hasGpuMemory(host: string, mb: number): boolean {
    const sample = this.#fresh(host);
    return sample !== undefined && sample.gpuFreeMb !== null && sample.gpuFreeMb - this.#promised(host, sample) >= mb;
  }

  /** How busy a host is, 0 to 100. One of which nothing is known comes last. */
  load(host: string): number {
    return this.#fresh(host)?.load ?? 100;
  }

  /** A task went to a worker of the host. */
  gave(host: string, { taskId, needs = [], lease }: LeasedTask): void {
    const mb = needs.reduce((sum, need) => sum + (gpuMemoryOf(need) ?? 0), 0);
    if (mb === 0 || lease === null) return;
    const given = { taskId, leaseId: lease.id, mb, atMs: lease.startedMs };
    this.#given.set(host, [...(this.#given.get(host) ?? []).filter((one) => this.#counts(one)), given]);
  }

  /** Why no host has what a task needs, in a sentence. @param hosts - of the connected workers that could take it otherwise */
  reason(needs: readonly string[], hosts: readonly string[]): string {
    const mb = needs.flatMap((need) => gpuMemoryOf(need) ?? [])[0];
    const others = needs.filter((need) => gpuMemoryOf(need) === undefined);
    const where = others.filter(isOfHost).map((need) => need.replace("label:", ""));
    const skills = others.filter((need) => !isOfHost(need));
    const wanted = [...where, ...skills.map((skill) => `the skill ${skill}`)].join(", ");
    if (hosts.length === 0) return `no connected worker ${wanted === "" ? "says its host" : `has ${wanted}`}`;
    if (mb === undefined || hosts.some((host) => this.hasGpuMemory(host, mb)))
      return "every worker that may take it is busy";
    const told = hosts.slice(0, MAX_NAMED).map((host) => `${host} ${this.#freeText(host)}`);
    const more = hosts.length > MAX_NAMED ? `, and ${hosts.length - MAX_NAMED} more` : "";
    return `no host has ${mbText(mb)} of free GPU memory: ${told.join(", ")}${more}`;
  }

  #freeText(host: string): string {
    const sample = this.#samples.get(host);
    if (sample === undefined) return "sends no samples";
    if (this.#fresh(host) === undefined) return `sample is ${ageText(this.nowMs - sample.atMs)} old`;
    if (sample.gpuFreeMb === null) return "has no GPU";
    return mbText(Math.max(0, sample.gpuFreeMb - this.#promised(host, sample)));
  }

  #fresh(host: string): HostSample | undefined {
    const sample = this.#samples.get(host);
    return sample === undefined || this.nowMs - sample.atMs > SAMPLE_AGE_MS ? undefined : sample;
  }

  #promised(host: string, { atMs }: HostSample): number {
    let sum = 0;
    for (const given of this.#given.get(host) ?? [])
      if (given.atMs > atMs - SETTLE_MS && this.#counts(given)) sum += given.mb;
    return sum;
  }

  /** A task that has ended has given its memory back; one that was given long ago is in the samples. */
  #counts({ taskId, leaseId, atMs }: Given): boolean {
    return this.nowMs - atMs <= SAMPLE_AGE_MS + SETTLE_MS && this.#holds(taskId, leaseId);
  }
}

const MAX_NAMED = 5;

const mbText = (mb: number): string => `${mb.toLocaleString("en-US", { maximumFractionDigits: 0 })} MB`;

function ageText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
