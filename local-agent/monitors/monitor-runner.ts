import type { Logger } from "../base/log.ts";
import type { Facts, Monitor } from "./monitor.ts";
import type { FailedPart } from "./parts.ts";

export interface MonitorRunnerOptions {
  readonly monitors: readonly Monitor[];
  /** Time limit of one monitor, in milliseconds. */
  readonly limitMs: number;
  readonly log: Logger;
}

/** Runs the monitors that the edge asks for. A monitor that fails or hangs does not affect the others. */
export class MonitorRunner {
  #options: MonitorRunnerOptions;
  /** Monitors at work. One may hang, on a file system that does not answer, and is not started a second time. */
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, string>();

  constructor(options: MonitorRunnerOptions) {
    this.#options = options;
  }

  /** Continues with other monitors. A request that is under way is answered by the old ones. */
  configure(settings: Pick<MonitorRunnerOptions, "monitors" | "limitMs">): void {
    this.#options = { ...this.#options, ...settings };
  }

  get names(): readonly string[] {
    return this.#options.monitors.map(({ name }) => name);
  }

  /** @returns facts by the name of the monitor; `{error}` for a monitor that failed */
  async gather(names: readonly string[], after: Readonly<Record<string, string>>): Promise<Record<string, Facts>> {
    const asked = this.#options.monitors.filter(({ name }) => names.includes(name));
    const answers = await Promise.all(
      asked.map(async (monitor) => [monitor.name, await this.#run(monitor, after[monitor.name])] as const),
    );
    return Object.fromEntries(answers);
  }

  async #run(monitor: Monitor, after: string | undefined): Promise<Facts> {
    try {
      const facts = await this.#limited(monitor, after);
      this.#note(monitor.name, partsText(facts.failed));
      return facts;
    } catch (error) {
      const reason = (error as Error).message;
      this.#note(monitor.name, reason);
      return { error: reason };
    }
  }

  /** Each failure is logged once, not each minute. */
  #note(monitor: string, reason: string): void {
    if (reason !== "" && this.#failures.get(monitor) !== reason)
      this.#options.log.warn(`monitor ${monitor}: ${reason.slice(0, 1_000)}`);
    this.#failures.set(monitor, reason);
  }

  async #limited(monitor: Monitor, after: string | undefined): Promise<Facts> {
    const { limitMs } = this.#options;
    const { name } = monitor;
    if (this.#running.has(name)) throw new Error("the monitor has not finished the request before this one");
    this.#running.add(name);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the monitor took longer than ${limitMs / 1000} s`)), limitMs);
    });
    const work = monitor.gather(after).finally(() => this.#running.delete(name));
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }
}

/** The parts of a monitor that failed, for people; empty when none did. */
function partsText(failed: unknown): string {
  if (!Array.isArray(failed)) return "";
  return failed.map(({ part, reason }: FailedPart) => `${part}: ${reason}`).join("; ");
}
