import type { HealthProblem } from "../base/health-problem.ts";
import type { Logger } from "../base/log.ts";
import { notifySocket, type Send } from "./notify-socket.ts";

export interface ManagerOptions {
  readonly send: Send;
  /** Longest silence before the manager restarts the agent, in milliseconds; `undefined`: it does not watch. */
  readonly watchdogMs: number | undefined;
  /** What is wrong with the agent, or `undefined`. */
  readonly health: () => Promise<HealthProblem | undefined>;
  readonly log: Logger;
}

type Environment = Record<string, string | undefined>;

/**
 * The service manager that started the agent, told how it fares (sd_notify(3)). The watchdog is fed by real health: an
 * event loop that stands still, or a spool that cannot be written, stops the feeding, and the manager restarts the agent.
 * A disk that is full does not: a new agent could not even start on it, and the supervised agents would be gone.
 */
export class ServiceManager {
  readonly #options: ManagerOptions;
  #timer: NodeJS.Timeout | undefined;
  /** What the agent says of itself. */
  #own = "";
  #shown = "";
  #sick: string | undefined;
  #stopped = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  /**
   * Who stands behind the environment; `undefined`: nobody. Its variables are taken out of `env`, so that what the
   * agent starts does not speak in its name.
   */
  static async from(
    env: Environment,
    more: Pick<ManagerOptions, "health" | "log">,
  ): Promise<ServiceManager | undefined> {
    const { NOTIFY_SOCKET: address, WATCHDOG_USEC: watchdog, WATCHDOG_PID: watched } = env;
    for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
    if (!address) return undefined;
    const mine = watched === undefined || Number(watched) === process.pid;
    const watchdogMs = mine && Number(watchdog) > 0 ? Number(watchdog) / 1000 : undefined;
    try {
      return new ServiceManager({ send: await notifySocket(address), watchdogMs, ...more });
    } catch (error) {
      more.log.error({ err: error }, "systemd: the service manager cannot be told anything");
      return undefined;
    }
  }

  ready(status: string): Promise<void> {
    this.#feedLater();
    this.#own = status;
    return this.#tell(["READY=1", ...this.#changed(status)]);
  }

  /** In `systemctl status`; the same again is not sent. */
  status(status: string): Promise<void> {
    this.#own = status;
    return this.#show(status);
  }

  #show(status: string): Promise<void> {
    const lines = this.#changed(status);
    return lines.length === 0 || this.#stopped ? Promise.resolve() : this.#tell(lines);
  }

  /** Until {@link ready} is told again. @see sd_notify(3), Type=notify-reload */
  reloading(): Promise<void> {
    return this.#tell(["RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  stopping(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    return this.#tell(["STOPPING=1", "STATUS=stopping"]);
  }

  #changed(status: string): string[] {
    if (status === this.#shown) return [];
    this.#shown = status;
    // One line: the protocol's messages end where a line does.
    return [`STATUS=${status.replaceAll("\n", " ").slice(0, 500)}`];
  }

  #feedLater(): void {
    const { watchdogMs } = this.#options;
    clearTimeout(this.#timer);
    // Three times in its interval, so that one that comes late does no harm.
    if (watchdogMs !== undefined && !this.#stopped)
      this.#timer = setTimeout(() => void this.#feed(), Math.max(1, watchdogMs / 3));
  }

  async #feed(): Promise<void> {
    const { health, log } = this.#options;
    const sick = await health().catch(
      (error: unknown): HealthProblem => ({ reason: String(error), restartHelps: true }),
    );
    if (this.#stopped) return;
    if (sick?.restartHelps !== true) await this.#tell(["WATCHDOG=1"]);
    if (sick !== undefined && sick.reason !== this.#sick) {
      log.error(`systemd: the watchdog is ${sick.restartHelps ? "not fed" : "fed all the same"}: ${sick.reason}`);
      await this.#show(`sick: ${sick.reason}`);
    } else if (sick === undefined && this.#sick !== undefined) await this.#show(this.#own);
    this.#sick = sick?.reason;
    this.#feedLater();
  }

  /** In order. A manager that does not hear is no reason to stop working. */
  #tell(lines: readonly string[]): Promise<void> {
    const { send, log } = this.#options;
    this.#last = this.#last
      .then(() => send(lines.join("\n")))
      .catch((error: unknown) => log.warn({ err: error }, "systemd: a notification was not sent"));
    return this.#last;
  }
}
