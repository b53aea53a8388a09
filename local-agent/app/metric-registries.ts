import { Registry } from "prom-client";
import type { Metrics } from "../feature/registrar.ts";

/** Ends a text of OpenMetrics. */
const END_OF_TEXT = "# EOF\n";

/** The metrics of all features. Each feature has a registry of its own, so that its metrics can be withdrawn together. */
export class MetricRegistries {
  readonly #all = new Set<Metrics>();
  readonly #onFailure: (error: unknown) => void;

  /** @param onFailure - called when the metrics of a feature could not be read */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  get contentType(): string {
    return Registry.OPENMETRICS_CONTENT_TYPE;
  }

  open(): Metrics {
    const registry: Metrics = new Registry();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    this.#all.add(registry);
    return registry;
  }

  close(registry: Metrics): void {
    this.#all.delete(registry);
  }

  /** All metrics in the text format of OpenMetrics. */
  async text(): Promise<string> {
    // `Registry.merge` finds metrics by names, and the library changes names of counters when they are first read.
    // The format allows no empty lines, which the text of an empty registry would have.
    const filled = [...this.#all].filter((registry) => registry.getMetricsAsArray().length > 0);
    const texts = await Promise.all(filled.map((registry) => this.#textOf(registry)));
    const failed = texts.filter((text) => text === undefined).length;
    const own = failed === 0 ? "" : failedText(failed);
    return `${texts.map((text) => text?.replace(END_OF_TEXT, "") ?? "").join("")}${own}${END_OF_TEXT}`;
  }

  /** @returns `undefined` for a feature whose values cannot be read now: the metrics of the others are shown */
  async #textOf(registry: Metrics): Promise<string | undefined> {
    try {
      return await registry.metrics();
    } catch (error) {
      this.#onFailure(error);
      return undefined;
    }
  }
}

function failedText(count: number): string {
  return [
    "# HELP ganglion_agent_unreadable_metrics Features whose metrics could not be read",
    "# TYPE ganglion_agent_unreadable_metrics gauge",
    `ganglion_agent_unreadable_metrics ${count}`,
    "",
  ].join("\n");
}
