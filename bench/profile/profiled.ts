import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CpuProfile, type HeapProfile, type HotFunction, hottest, largest } from "./hot-functions.ts";
import { Inspector } from "./inspector.ts";

/** Microseconds between samples: short enough for a function of a millisecond, long enough not to be what is measured. */
const SAMPLE_EVERY_US = 200;
/** Bytes between samples of allocations. */
const SAMPLE_EVERY_BYTES = 16 * 1024;
const SHOWN = 25;
const WORKER = "ganglion";

/** Profiles the edge while something runs, and leaves `<name>.cpuprofile` and `<name>.heapprofile` in a directory. */
export async function profiled(address: string, directory: string, name: string, run: () => Promise<void>) {
  const inspector = await Inspector.open(address, WORKER);
  try {
    await inspector.call("Profiler.enable");
    await inspector.call("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_US });
    await inspector.call("HeapProfiler.enable");
    await inspector.call("HeapProfiler.startSampling", {
      samplingInterval: SAMPLE_EVERY_BYTES,
      // Otherwise what was collected meanwhile would be missing: what costs is what is allocated.
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await inspector.call("Profiler.start");
    await run();
    const { profile: cpu } = await inspector.call<{ profile: CpuProfile }>("Profiler.stop");
    const { profile: heap } = await inspector.call<{ profile: HeapProfile }>("HeapProfiler.stopSampling");
    mkdirSync(directory, { recursive: true });
    const file = (kind: string) => join(directory, `${name}.${kind}`);
    writeFileSync(file("cpuprofile"), JSON.stringify(cpu));
    writeFileSync(file("heapprofile"), JSON.stringify(heap));
    const time = hottest(cpu);
    const allocated = largest(heap);
    const ms = time.reduce((sum, { self }) => sum + self, 0) / 1_000;
    const megabytes = allocated.reduce((sum, { self }) => sum + self, 0) / 1e6;
    console.error(
      table(`Time of the edge in ${name}: ${Math.round(ms)} ms`, time, (us) => `${(us / 1_000).toFixed(1)} ms`),
    );
    console.error(
      table(
        `Allocations of the edge in ${name}: ${megabytes.toFixed(1)} MB`,
        allocated,
        (bytes) => `${(bytes / 1e6).toFixed(2)} MB`,
      ),
    );
    console.error(`Written: ${file("cpuprofile")}, ${file("heapprofile")}`);
  } finally {
    inspector.close();
  }
}

function table(title: string, functions: readonly HotFunction[], amount: (self: number) => string): string {
  const lines = functions
    .slice(0, SHOWN)
    .map(
      ({ name, where, self, share }) =>
        `${(100 * share).toFixed(1).padStart(5)} %  ${amount(self).padStart(10)}  ${name}${where === "" ? "" : `  (${where})`}`,
    );
  return [`\n${title}`, ...lines].join("\n");
}
