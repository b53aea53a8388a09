import type { Logger } from "../base/log.ts";
import type { Facts, Monitor } from "./monitor.ts";

export interface MonitorsOptions {
  readonly monitors: readonly Monitor[];
  /** Longest time of one, in milliseconds. */
  readonly limitMs: number;
  readonly log: Logger;
}

/** Runs the monitors that the edge asks for. One that fails or hangs costs the others nothing. */
export class Monitors {
  #options: MonitorsOptions;
  /** Those that hang, on a file system that does not answer for one: they are not started a second time. */
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, string>();

  constructor(options: MonitorsOptions) {
    this.#options = options;
  }

  /** Goes on with other monitors. Who has been asked answers by the old ones. */
  configure(settings: Pick<MonitorsOptions, "monitors" | "limitMs">): void {
    this.#options = { ...this.#options, ...settings };
  }

  get names(): readonly string[] {
    return this.#options.monitors.map(({ name }) => name);
  }

  /** @returns facts by the name of the monitor; of one that failed, `{error}` */
  async gather(wanted: readonly string[], after: Readonly<Record<string, string>>): Promise<Record<string, Facts>> {
    const asked = this.#options.monitors.filter(({ name }) => wanted.includes(name));
    const answers = await Promise.all(
      asked.map(async (monitor) => [monitor.name, await this.#run(monitor, after[monitor.name])] as const),
    );
    return Object.fromEntries(answers);
  }

  async #run(monitor: Monitor, after: string | undefined): Promise<Facts> {
    try {
      const facts = await this.#limited(monitor, after);
      this.#failures.delete(monitor.name);
      return facts;
    } catch (error) {
      const reason = (error as Error).message;
      // Once, not each minute.
      if (this.#failures.get(monitor.name) !== reason) this.#options.log.warn(`monitor ${monitor.name}: ${reason}`);
      this.#failures.set(monitor.name, reason);
      return { error: reason };
    }
  }

  async #limited(monitor: Monitor, after: string | undefined): Promise<Facts> {
    const { limitMs } = this.#options;
    const { name } = monitor;
    if (this.#running.has(name)) throw new Error("it has been at it since it was asked before");
    this.#running.add(name);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it took longer than ${limitMs / 1000} s`)), limitMs);
    });
    const work = monitor.gather(after).finally(() => this.#running.delete(name));
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }
}
