import type { Logger } from "../base/log.ts";
import { isReporting, type Service } from "../base/service.ts";
import { STOP_MS, stoppedWithin } from "../base/stop-within.ts";
import type { Feature, FeatureContext, FeatureParts } from "../feature/feature.ts";
import type { AgentOptions } from "./agent-options.ts";
import { FeatureRegistrar, type Registries } from "./registrar.ts";

/** A feature that is switched on. It can be stopped, and replaced by a new instance, while the agent runs. */
export class FeatureInstance {
  readonly feature: Feature<AgentOptions>;
  readonly parts: FeatureParts<AgentOptions>;
  readonly #registrar: FeatureRegistrar;
  readonly #started: Service[] = [];

  private constructor(feature: Feature<AgentOptions>, parts: FeatureParts<AgentOptions>, registrar: FeatureRegistrar) {
    this.feature = feature;
    this.parts = parts;
    this.#registrar = registrar;
  }

  /** @returns `undefined` when the settings switch the feature off; nothing of it stays registered then */
  static assemble(
    feature: Feature<AgentOptions>,
    context: Omit<FeatureContext<AgentOptions>, "register">,
    registries: Registries,
  ): FeatureInstance | undefined {
    const registrar = new FeatureRegistrar(registries);
    let parts: FeatureParts<AgentOptions> | undefined;
    try {
      parts = feature.assemble({ ...context, register: registrar });
    } finally {
      if (parts === undefined) registrar.withdraw();
    }
    return parts && new FeatureInstance(feature, parts, registrar);
  }

  /** The status that the feature registered; `undefined` when it has none. */
  get status(): unknown {
    return this.#registrar.readStatus?.();
  }

  /** @throws the error of the first service that does not start; `stop` ends the services that did */
  async start(): Promise<void> {
    for (const service of this.parts.services) {
      this.#started.push(service);
      await service.start();
    }
  }

  onChange(listener: () => void): void {
    for (const service of this.parts.services) if (isReporting(service)) service.onChange(listener);
  }

  /** Resolves when all services have stopped or had their time, and everything registered is withdrawn. */
  async stop(log: Logger, limitMs = STOP_MS): Promise<void> {
    for (const service of this.#started.splice(0).reverse()) await stopService(service, log, limitMs);
    this.#registrar.withdraw();
  }
}

/** @param limitMs - for a service without a limit of its own */
export async function stopService(service: Service, log: Logger, limitMs = STOP_MS): Promise<void> {
  const { name, stopMs = limitMs } = service;
  try {
    if (await stoppedWithin(stopMs, service.stop())) log.debug(`${name}: stopped`);
    else log.warn(`${name}: did not stop within ${stopMs / 1_000} s; continuing without waiting`);
  } catch (error) {
    log.error({ err: error }, `${name}: failed to stop`);
  }
}
