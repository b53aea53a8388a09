import type { Feature } from "../base/feature.ts";
import { counterOf } from "../telemetry/instruments.ts";
import { MetricFileSource } from "./metric-file-source.ts";

const DEAD_LETTERS_BYTES = 8 * 1024 * 1024;

/** Metric files of older tools become observations (R19). */
export const METRICS_ROOM: Feature = {
  name: "metrics",
  shownWhenOff: true,
  renews: ["sources", "metricsDir"],
  assemble({ options, spool, db, metrics, log, now, deadLetterFile }) {
    if (!options.sources.includes("metrics")) return undefined;
    const { hostId, metricsDir: directory } = options;
    const deadLetters = deadLetterFile("metrics", DEAD_LETTERS_BYTES);
    const files = new MetricFileSource({ directory, hostId, spool, db, deadLetters, now, log });
    counterOf(
      ...([
        metrics,
        "ganglion_agent_metric_lines",
        "Lines of metric files that were taken, or could not be read",
      ] as const),
      () => [
        { outcome: "taken", value: files.counts.taken },
        { outcome: "bad", value: files.counts.bad },
      ],
      ["outcome"],
    );
    return { services: [files] };
  },
};
