import type { HostCommands } from "../commands/host-commands.ts";
import type { CommandHandler } from "../feature/command.ts";
import type { Provided } from "../feature/provided.ts";
import type { Metric, Metrics, Registrar } from "../feature/registrar.ts";
import type { Health, HealthCheck } from "./health.ts";
import { addCounter, addGauge } from "./instruments.ts";
import type { MetricRegistries } from "./metric-registries.ts";

/** The parts of the agent in which features register. */
export interface Registries {
  readonly metrics: MetricRegistries;
  readonly commands: HostCommands;
  readonly health: Health;
  readonly provided: { -readonly [Name in keyof Provided]: Provided[Name] };
}

/** Records what one feature registers, so that all of it can be withdrawn together. */
export class FeatureRegistrar implements Registrar {
  readonly metrics: Metrics;
  readonly #registries: Registries;
  readonly #undo: (() => void)[] = [];
  #status: (() => unknown) | undefined;

  constructor(registries: Registries) {
    this.#registries = registries;
    this.metrics = registries.metrics.open();
    this.#undo.push(() => registries.metrics.close(this.metrics));
  }

  counter<Label extends string = never>(metric: Metric<Label>): void {
    addCounter(this.metrics, metric);
  }

  gauge<Label extends string = never>(metric: Metric<Label>): void {
    addGauge(this.metrics, metric);
  }

  command(type: string, handler: CommandHandler): void {
    this.#undo.push(this.#registries.commands.add(type, handler));
  }

  healthCheck(check: HealthCheck): void {
    this.#undo.push(this.#registries.health.add(check));
  }

  status(read: () => unknown): void {
    this.#status = read;
    this.#undo.push(() => {
      this.#status = undefined;
    });
  }

  provide<Name extends keyof Provided>(name: Name, call: NonNullable<Provided[Name]>): void {
    const { provided } = this.#registries;
    if (provided[name] !== undefined) throw new Error(`two features provide ${name}`);
    provided[name] = call;
    this.#undo.push(() => delete provided[name]);
  }

  /** The registered status reader; `undefined` when the feature has none. */
  get readStatus(): (() => unknown) | undefined {
    return this.#status;
  }

  /** Takes back everything that was registered, the latest first. May be called twice. */
  withdraw(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }
}
