import { Counter, Gauge } from "prom-client";
import type { Metric, Metrics, MetricValue } from "../feature/registrar.ts";

/** Adds a counter whose value is read when the metrics are scraped. */
export function addCounter<Label extends string>(metrics: Metrics, metric: Metric<Label>): void {
  const { name, help, labels = [] } = metric;
  const counter: Counter<Label> = new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [metrics],
    collect: () => {
      counter.reset();
      setEach(labels, metric.read(), (labelValues, value) => counter.inc(labelValues, value));
    },
  });
}

/** Adds a gauge whose value is read when the metrics are scraped. */
export function addGauge<Label extends string>(metrics: Metrics, metric: Metric<Label>): void {
  const { name, help, labels = [] } = metric;
  const gauge: Gauge<Label> = new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [metrics],
    collect: () => {
      gauge.reset();
      setEach(labels, metric.read(), (labelValues, value) => gauge.set(labelValues, value));
    },
  });
}

function setEach<Label extends string>(
  labels: readonly Label[],
  values: MetricValue<Label>,
  set: (labelValues: Partial<Record<Label, string>>, value: number) => void,
): void {
  if (typeof values === "number") return set({}, values);
  for (const row of values) {
    const labelValues: Partial<Record<Label, string>> = {};
    for (const label of labels) labelValues[label] = row[label];
    set(labelValues, row.value);
  }
}
