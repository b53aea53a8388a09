import type { Feature } from "../feature/feature.ts";
import { MetricFileSource } from "./metric-file-source.ts";
import { filesByDirectory } from "./records.ts";
import type { MetricFilesFeatureOptions } from "./settings.ts";

const DEAD_LETTERS_BYTES = 8 * 1024 * 1024;

/** Turns lines of the metric files that older tools write into observations. */
export const METRIC_FILES_FEATURE: Feature<MetricFilesFeatureOptions> = {
  name: "metrics",
  shownWhenOff: true,
  restartOn: ["sources", "metricsDir", "metricFiles"],
  assemble({ options, register, spool, db, log, now, deadLetterFile }) {
    if (!options.sources.includes("metrics")) return undefined;
    const { hostId, metricsDir, metricFiles } = options;
    const deadLetters = deadLetterFile("metrics", DEAD_LETTERS_BYTES);
    const sources = [...filesByDirectory(metricsDir, metricFiles)].map(
      ([directory, files]) =>
        new MetricFileSource({
          directory,
          files,
          name: directory === metricsDir ? "metrics" : `metrics in ${directory}`,
          hostId,
          spool,
          db,
          deadLetters,
          now,
          log,
        }),
    );
    const sum = (count: "taken" | "bad" | "keptAsText") =>
      sources.reduce((total, source) => total + source.counts[count], 0);
    register.counter({
      name: "ganglion_agent_metric_lines",
      help: "Lines of metric files, taken or unreadable",
      labels: ["outcome"],
      read: () => [
        { outcome: "taken", value: sum("taken") },
        { outcome: "bad", value: sum("bad") },
      ],
    });
    register.counter({
      name: "ganglion_agent_metric_values_kept_as_text",
      help: "Numbers of metric files that JSON readers would change, kept as text",
      read: () => sum("keptAsText"),
    });
    return { services: sources };
  },
};
