interface ThresholdSetting {
  readonly name: string;
  /** Of the setting at which the gap is resolved; `undefined`: there is none. */
  readonly clearName: string | undefined;
}

/** The setting of the scanner from which a threshold came, by its name and value; `…_above` and `…_below` have a `…_clear`. */
export function settingOf(
  threshold: number,
  metric: string,
  settings: Readonly<Record<string, unknown>>,
): ThresholdSetting | undefined {
  const candidates = Object.entries(settings).filter(
    ([name, value]) => value === threshold && /_(above|below)$/.test(name),
  );
  const found = candidates.find(([name]) => shares(name, metric)) ?? candidates[0];
  if (found === undefined) return undefined;
  const [name] = found;
  const clearName = name.replace(/_(above|below)$/, "_clear");
  return { name, clearName: typeof settings[clearName] === "number" ? clearName : undefined };
}

/** Whether a setting and a metric begin with the same word: `gpu_percent_below` and `gpu_utilization`. */
const shares = (setting: string, metric: string): boolean => setting.split("_")[0] === metric.split("_")[0];

interface WhatIf {
  /** Samples that lie beyond the threshold. */
  readonly beyond: number;
  readonly samples: number;
  /** How often the gap would have begun: with a second threshold it ends only beyond that. */
  readonly raised: number;
  /** Whether it would stand at the end. */
  readonly open: boolean;
}

export interface Thresholds {
  readonly raise: number;
  /** The gap ends only on this side. */
  readonly clear: number;
  readonly worse: "above" | "below";
}

/** Measurements whose mean a scanner judges together. */
const JUDGED_TOGETHER = 5;

/** What other thresholds would have made of the same samples: as scanners do, a mean of the latest is judged. */
export function whatIf(values: readonly number[], { raise, clear, worse }: Thresholds): WhatIf {
  const above = worse === "above";
  const isBeyond = (value: number) => (above ? value > raise : value < raise);
  const isCalm = (value: number) => (above ? value <= clear : value >= clear);
  let [raised, open, sum] = [0, false, 0];
  values.forEach((value, place) => {
    sum += value - (values[place - JUDGED_TOGETHER] ?? 0);
    if (place + 1 < JUDGED_TOGETHER) return;
    const mean = sum / JUDGED_TOGETHER;
    if (!open && isBeyond(mean)) {
      raised++;
      open = true;
    } else if (open && isCalm(mean)) {
      open = false;
    }
  });
  return { beyond: values.filter(isBeyond).length, samples: values.length, raised, open };
}
