import * as z from "zod";
import type { FleetProcess } from "./fleet.ts";

/** Processes of a host whose restarts are told apart. */
const MAX_PROCESSES = 256;

/** How often processes of a host were restarted since the edge knows the host. */
export const RestartCount = z.object({
  counted: z.int().nonnegative(),
  /** What the host said last of each process: its own counts may begin anew. */
  last: z.record(z.string(), z.int()),
});
export type RestartCount = Readonly<z.infer<typeof RestartCount>>;

/** @returns `before` itself, where nothing was restarted */
export function countRestarts(
  before: RestartCount | undefined,
  processes: readonly FleetProcess[],
): RestartCount | undefined {
  let counted = before?.counted ?? 0;
  const last = new Map(Object.entries(before?.last ?? {}));
  for (const { name, restarts } of processes) {
    const known = last.get(name) ?? 0;
    if (restarts === known || restarts < 0 || (!last.has(name) && last.size >= MAX_PROCESSES)) continue;
    counted += restarts > known ? restarts - known : restarts;
    last.set(name, restarts);
  }
  const same = counted === (before?.counted ?? 0) && [...last].every(([name, count]) => before?.last[name] === count);
  return same ? before : { counted, last: Object.fromEntries(last) };
}
