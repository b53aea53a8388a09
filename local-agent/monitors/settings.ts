import * as z from "zod";

const Path = z.string().min(1, "give a path");

/** Section `monitors` of the configuration (R22). Without it the health of the host alone is looked at. */
export const MonitorsSettings = z.strictObject({
  /** Directory of promotions, one a file. */
  promotions_directory: Path.optional(),
  /** File that says when the last dream was, or a directory in which each dream leaves a file. */
  last_dream: Path.optional(),
  /** Log of investigations, one JSON object a line. */
  investigation_log: Path.optional(),
  /** How a hypothesis about a module begins. */
  hypothesis_prefix: z.string().min(1, "give the first letters").default("UNDISCOVERED_MODULE_"),
  /** Whether disk, memory, load, cards, bus and spool are looked at. */
  health: z.boolean("give true or false").default(true),
  /** A path on each file system that is watched; default: the state directory's. */
  disks: z.array(Path).max(64, "give 64 paths at most").optional(),
  /** Longest time that a monitor may take. */
  limit_seconds: z.number().positive("more than 0").max(20, "20 at most").default(4),
  /** The edge away for so long is said on this host. */
  edge_silent_seconds: z.number().positive("more than 0").default(120),
});
export type MonitorsSettings = z.output<typeof MonitorsSettings>;

/** @param absolute - what a path means, given the variable that may have set it */
export function withAbsolutePaths(
  settings: MonitorsSettings,
  absolute: (variable: string, path: string) => string,
): MonitorsSettings {
  const { promotions_directory, last_dream, investigation_log, disks } = settings;
  return {
    ...settings,
    ...(promotions_directory !== undefined && {
      promotions_directory: absolute("GANGLION_PROMOTIONS_DIR", promotions_directory),
    }),
    ...(last_dream !== undefined && { last_dream: absolute("", last_dream) }),
    ...(investigation_log !== undefined && {
      investigation_log: absolute("GANGLION_INVESTIGATION_LOG", investigation_log),
    }),
    ...(disks !== undefined && { disks: disks.map((disk) => absolute("", disk)) }),
  };
}
