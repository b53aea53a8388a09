import type { OpenMetricsContentType, Registry } from "prom-client";
import type { HealthProblem } from "../base/health-problem.ts";
import type { CommandHandler } from "./command.ts";
import type { Provided } from "./provided.ts";

export type Metrics = Registry<OpenMetricsContentType>;

/** The present value of a metric; with labels, one value for each combination of them. */
export type MetricValue<Label extends string> =
  | number
  | readonly (Readonly<Record<Label, string>> & { readonly value: number })[];

/** A metric whose value the feature keeps itself: `read` is called when the metrics are scraped, and never before. */
export interface Metric<Label extends string> {
  /** A counter's name goes without `_total`, which OpenMetrics appends. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
  read(): MetricValue<Label>;
}

/**
 * Where a feature registers its metrics, commands, health checks, status and the calls that it provides. All of it is
 * withdrawn together when the feature stops, or when its start fails.
 */
export interface Registrar {
  /** The feature's own registry, for metrics that are not read on demand. */
  readonly metrics: Metrics;
  counter<Label extends string = never>(metric: Metric<Label>): void;
  gauge<Label extends string = never>(metric: Metric<Label>): void;
  /** @throws Error when another feature has registered a command of this type */
  command(type: string, handler: CommandHandler): void;
  /** @param check - returns `undefined` while the feature works */
  healthCheck(check: () => Promise<HealthProblem | undefined>): void;
  /** @param read - its result stands in the agent's status under the feature's name */
  status(read: () => unknown): void;
  /** @throws Error when another feature provides the same call */
  provide<Name extends keyof Provided>(name: Name, call: NonNullable<Provided[Name]>): void;
}
