/** A frame of a function, as the DevTools Protocol names it. */
interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** @see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples?: readonly number[];
  /** Microseconds between the samples. */
  readonly timeDeltas?: readonly number[];
}

/** @see https://chromedevtools.github.io/devtools-protocol/tot/HeapProfiler/#type-SamplingHeapProfile */
export interface HeapProfile {
  readonly head: HeapNode;
}

interface HeapNode {
  readonly callFrame: CallFrame;
  /** Bytes. */
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** What a function takes by itself, without what it calls. */
export interface HotFunction {
  readonly name: string;
  readonly where: string;
  /** Microseconds, or bytes. */
  readonly self: number;
  /** Of everything, 0 to 1. */
  readonly share: number;
}

/** The functions that took the most time by themselves, the hottest first. Time in which nothing ran is left out. */
export function hottest({ nodes, samples = [], timeDeltas = [] }: CpuProfile): HotFunction[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const taken: [CallFrame, number][] = [];
  for (const [place, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame !== undefined && frame.functionName !== "(idle)") taken.push([frame, timeDeltas[place] ?? 0]);
  }
  return ranked(taken);
}

/** The functions that allocated the most of what was still alive at the end, by themselves. */
export function largest({ head }: HeapProfile): HotFunction[] {
  const taken: [CallFrame, number][] = [];
  const left = [head];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    taken.push([node.callFrame, node.selfSize]);
    left.push(...node.children);
  }
  return ranked(taken);
}

function ranked(taken: readonly (readonly [CallFrame, number])[]): HotFunction[] {
  const sums = new Map<string, { name: string; where: string; self: number }>();
  let all = 0;
  for (const [{ functionName, url, lineNumber }, amount] of taken) {
    if (amount <= 0) continue;
    all += amount;
    const name = functionName || "(anonymous)";
    const where = url === "" ? "" : `${url.replace(/^.*\//, "")}:${lineNumber + 1}`;
    const key = `${name} ${where}`;
    const sum = sums.get(key) ?? { name, where, self: 0 };
    sum.self += amount;
    sums.set(key, sum);
  }
  return [...sums.values()].map((one) => ({ ...one, share: one.self / all })).toSorted((a, b) => b.self - a.self);
}
