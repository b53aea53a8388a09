import type { Feature, FeatureContext, FeatureParts, Offers } from "../base/feature.ts";
import type { Logger } from "../base/log.ts";
import { isReporting, type Service } from "../base/service.ts";
import { STOP_MS, stoppedWithin } from "../base/stop-within.ts";

/** A room that is switched on. It can be taken out of a running agent, and another one be put into its place. */
export class FeatureInstance {
  readonly room: Feature;
  readonly parts: FeatureParts;
  readonly #withdraw: () => void;
  readonly #started: Service[] = [];

  private constructor(room: Feature, parts: FeatureParts, withdraw: () => void) {
    this.room = room;
    this.parts = parts;
    this.#withdraw = withdraw;
  }

  /** @returns `undefined` where the settings switch the room off */
  static assemble(room: Feature, context: FeatureContext): FeatureInstance | undefined {
    const before = additions(context);
    const parts = room.assemble(context);
    if (parts === undefined) return undefined;
    const { metrics, commands, offers } = context;
    const after = additions(context);
    // What it has added to the agent is what there is more of than before: no room keeps account of it.
    return new FeatureInstance(room, parts, () => {
      for (const name of after.metrics.difference(before.metrics)) metrics.removeSingleMetric(name);
      for (const type of after.commands.difference(before.commands)) commands.off(type);
      for (const name of after.offers.difference(before.offers)) delete offers[name];
    });
  }

  /** @throws what keeps one of its services from starting; `stop` ends those that had */
  async start(): Promise<void> {
    for (const service of this.parts.services) {
      this.#started.push(service);
      await service.start();
    }
  }

  onChange(listener: () => void): void {
    for (const service of this.parts.services) if (isReporting(service)) service.onChange(listener);
  }

  /** Resolves when nothing of it runs, or what hangs has had its time, and nothing of it is known to the agent any more. */
  async stop(log: Logger, limitMs = STOP_MS): Promise<void> {
    for (const service of this.#started.splice(0).reverse()) await stopService(service, log, limitMs);
    this.#withdraw();
  }
}

/** @param limitMs - for a service that names no time of its own */
export async function stopService(service: Service, log: Logger, limitMs = STOP_MS): Promise<void> {
  const { name, stopMs = limitMs } = service;
  try {
    if (await stoppedWithin(stopMs, service.stop())) log.debug(`${name}: stopped`);
    else log.warn(`${name}: it did not stop within ${stopMs / 1_000} s; going on without it`);
  } catch (error) {
    log.error({ err: error }, `${name} did not stop cleanly`);
  }
}

function additions({ metrics, commands, offers }: FeatureContext) {
  return {
    metrics: new Set(metrics.getMetricsAsArray().map(({ name }) => name)),
    commands: new Set(commands.types),
    offers: new Set(Object.keys(offers) as (keyof Offers)[]),
  };
}
