import * as z from "zod";
import type { HostSettings } from "../feature/feature.ts";
import { Command } from "../reactions/command-settings.ts";

const Path = z.string().min(1, "give a path");

/** Section `monitors` of the configuration. Without it, only the host's health is monitored. */
export const MonitorsSettings = z.strictObject({
  /** Directory with one file for each promotion. */
  promotions_directory: Path.optional(),
  /** Which files of it are promotions: all, or only `*.json`. */
  promotions_files: z.enum(["all", "json"], "give all or json").default("all"),
  /** File with the time of the last dream, or a directory in which each dream leaves a file. */
  last_dream: Path.optional(),
  /** Log of investigations, one JSON object a line. */
  investigation_log: Path.optional(),
  /** The YAML file that lists the host's modules, and where the list is in it. */
  capabilities: Path.optional(),
  capabilities_key: z.array(z.string().min(1)).min(1).max(16).default(["modules"]),
  /** How a hypothesis about a module begins. */
  hypothesis_prefix: z.string().min(1, "give the first letters").default("UNDISCOVERED_MODULE_"),
  /** Whether disks, memory, load, GPUs, bus and spool are measured. */
  health: z.boolean("give true or false").default(true),
  /** A path on each file system to measure; default: the state directory. */
  disks: z.array(Path).max(64, "give 64 paths at most").optional(),
  /** Time limit of one monitor. */
  limit_seconds: z.number().positive("more than 0").max(20, "20 at most").default(4),
  /** After this time without a link, the host's own bus gets `Q_EDGE_SILENT`. */
  edge_silent_seconds: z.number().positive("more than 0").default(120),
  /** What is told of the edge beside the host's own bus, and when its cron and its queue count as silent. */
  edge_watch: z
    .strictObject({
      /** Rounds of the edge that may be missing while the link is open. */
      cron_periods: z.number().min(1, "1 at least").max(1_000, "1,000 at most").default(2),
      /** How long the edge's rules and observations may lag behind its log. */
      queue_silent_seconds: z.number().positive("more than 0").default(180),
      /** Gets each notice as JSON on its standard input. */
      command: Command.optional(),
      /** A second channel: gets each notice as the JSON body of a POST. */
      url: z.url({ protocol: /^https?$/, message: "give an http:// or https:// address" }).optional(),
    })
    .prefault({}),
});
export type MonitorsSettings = z.output<typeof MonitorsSettings>;

/** @param absolute - makes a path absolute, given the environment variable that may have set it */
export function withAbsolutePaths(
  settings: MonitorsSettings,
  absolute: (variable: string, path: string) => string,
): MonitorsSettings {
  const { promotions_directory, last_dream, investigation_log, capabilities, disks } = settings;
  return {
    ...settings,
    ...(promotions_directory !== undefined && {
      promotions_directory: absolute("GANGLION_PROMOTIONS_DIR", promotions_directory),
    }),
    ...(last_dream !== undefined && { last_dream: absolute("", last_dream) }),
    ...(investigation_log !== undefined && {
      investigation_log: absolute("GANGLION_INVESTIGATION_LOG", investigation_log),
    }),
    ...(capabilities !== undefined && { capabilities: absolute("", capabilities) }),
    ...(disks !== undefined && { disks: disks.map((disk) => absolute("", disk)) }),
  };
}

export interface MonitorsFeatureOptions extends HostSettings {
  readonly monitors?: MonitorsSettings | undefined;
  readonly xsub: string;
  readonly xpub: string;
}
