import type { HealthProblem } from "../base/health-problem.ts";
import type { Logger } from "../base/log.ts";
import { notifySocket, type Send } from "../base/systemd/notify-socket.ts";

export interface ManagerOptions {
  readonly send: Send;
  /** Longest silence before the manager restarts the agent, in milliseconds; `undefined` when it has no watchdog. */
  readonly watchdogMs: number | undefined;
  /** @returns the problem of the agent, or `undefined` */
  readonly health: () => Promise<HealthProblem | undefined>;
  readonly log: Logger;
}

type Environment = Record<string, string | undefined>;

/**
 * Notifies the service manager that started the agent of its state (sd_notify(3)). The watchdog is fed only while the
 * agent is healthy: when the event loop is blocked or the spool cannot be written, the manager restarts the agent. A full
 * disk is an exception: a new agent could not start on it, and the supervised agents would be stopped.
 */
export class ServiceManager {
  readonly #options: ManagerOptions;
  #timer: NodeJS.Timeout | undefined;
  /** The latest status of the agent. */
  #status = "";
  #shown = "";
  #problem: string | undefined;
  #stopped = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  /**
   * The service manager that the environment names; `undefined` when there is none. Its variables are removed from `env`,
   * so that child processes cannot notify it in the agent's name.
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
      more.log.error({ err: error }, "systemd: the service manager cannot be notified");
      return undefined;
    }
  }

  ready(status: string): Promise<void> {
    this.#feedLater();
    this.#status = status;
    return this.#notify(["READY=1", ...this.#changed(status)]);
  }

  /** Shown by `systemctl status`. An unchanged status is not sent. */
  status(status: string): Promise<void> {
    this.#status = status;
    return this.#show(status);
  }

  #show(status: string): Promise<void> {
    const lines = this.#changed(status);
    return lines.length === 0 || this.#stopped ? Promise.resolve() : this.#notify(lines);
  }

  /** Lasts until {@link ready} is called again. @see sd_notify(3), Type=notify-reload */
  reloading(): Promise<void> {
    return this.#notify(["RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  stopping(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    return this.#notify(["STOPPING=1", "STATUS=stopping"]);
  }

  #changed(status: string): string[] {
    if (status === this.#shown) return [];
    this.#shown = status;
    // One line: a line break ends a message of the protocol.
    return [`STATUS=${status.replaceAll("\n", " ").slice(0, 500)}`];
  }

  #feedLater(): void {
    const { watchdogMs } = this.#options;
    clearTimeout(this.#timer);
    // Three times in each interval, so that a late one does no harm.
    if (watchdogMs !== undefined && !this.#stopped)
      this.#timer = setTimeout(() => void this.#feed(), Math.max(1, watchdogMs / 3));
  }

  async #feed(): Promise<void> {
    const { health, log } = this.#options;
    const problem = await health().catch(
      (error: unknown): HealthProblem => ({ reason: String(error), restartHelps: true }),
    );
    if (this.#stopped) return;
    if (problem?.restartHelps !== true) await this.#notify(["WATCHDOG=1"]);
    if (problem !== undefined && problem.reason !== this.#problem) {
      log.error(`systemd: the watchdog is ${problem.restartHelps ? "not fed" : "fed all the same"}: ${problem.reason}`);
      await this.#show(`unhealthy: ${problem.reason}`);
    } else if (problem === undefined && this.#problem !== undefined) await this.#show(this.#status);
    this.#problem = problem?.reason;
    this.#feedLater();
  }

  /** Sends messages in order. A failure is logged, and the agent keeps working. */
  #notify(lines: readonly string[]): Promise<void> {
    const { send, log } = this.#options;
    this.#last = this.#last
      .then(() => send(lines.join("\n")))
      .catch((error: unknown) => log.warn({ err: error }, "systemd: a notification was not sent"));
    return this.#last;
  }
}
