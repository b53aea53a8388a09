import { Counter, Gauge, type OpenMetricsContentType, type Registry } from "prom-client";

export type Metrics = Registry<OpenMetricsContentType>;

/** What a figure is now; with labels, one figure for each of their values. */
type Reading<Label extends string> = number | readonly (Readonly<Record<Label, string>> & { readonly value: number })[];

/**
 * A counter whose figure somebody else keeps: it is asked for when the metrics are read, and costs nothing before. The
 * name is without `_total`, which OpenMetrics adds.
 */
export function counterOf<Label extends string = never>(
  metrics: Metrics,
  name: string,
  help: string,
  read: () => Reading<Label>,
  labelNames: readonly Label[] = [],
): void {
  const counter: Counter<Label> = new Counter({
    ...{ name, help, labelNames: [...labelNames], registers: [metrics] },
    collect: () => {
      counter.reset();
      each(read(), (labels, value) => (labels === undefined ? counter.inc(value) : counter.inc(labels, value)));
    },
  });
}

/** A gauge that is asked for when the metrics are read. */
export function gaugeOf<Label extends string = never>(
  metrics: Metrics,
  name: string,
  help: string,
  read: () => Reading<Label>,
  labelNames: readonly Label[] = [],
): void {
  const gauge: Gauge<Label> = new Gauge({
    ...{ name, help, labelNames: [...labelNames], registers: [metrics] },
    collect: () => {
      gauge.reset();
      each(read(), (labels, value) => (labels === undefined ? gauge.set(value) : gauge.set(labels, value)));
    },
  });
}

function each<Label extends string>(
  reading: Reading<Label>,
  tell: (labels: Record<Label, string> | undefined, value: number) => void,
): void {
  if (typeof reading === "number") return tell(undefined, reading);
  for (const { value, ...labels } of reading) tell(labels as unknown as Record<Label, string>, value);
}
