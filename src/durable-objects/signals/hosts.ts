import type { GatherAfter, HostAnswers, LinkReport } from "../../core/hosts/links.ts";
import type { OpenLink } from "../../core/hosts/presence-tracker.ts";

/** Calls of the log to the registry of agents. */
export interface RegistryCalls {
  /** @param statuses - JSON texts, by host */
  report(report: LinkReport, statuses: ReadonlyMap<string, string>): Promise<void>;
}

export interface HostsOptions {
  readonly registry: () => RegistryCalls;
  readonly links: () => OpenLink[];
  readonly head: () => number;
  readonly ask: (frame: (host: string) => string) => Map<string, () => boolean>;
  readonly keepAlive: (work: Promise<void>) => void;
}

/** A longer status is not passed on: it would take most of the row in which it is stored. */
const MAX_STATUS_CHARS = 128 * 1024;
const TRIES = 5;
const FIRST_WAIT_MS = 250;

/**
 * Notifies the registry of agents which links are open, and asks hosts for facts. One call to
 * the registry at a time; changes that happen meanwhile go with the next, so that a thousand hosts that come back at once
 * cost a few calls. The registry also reads the links itself each minute, which corrects reports that were lost.
 */
export class Hosts {
  readonly #options: HostsOptions;
  readonly #instance = crypto.randomUUID();
  readonly #waiting = new Map<string, (facts: string) => void>();
  #version = 0;
  #statuses = new Map<string, string>();
  #pending = false;
  #notifying = false;

  constructor(options: HostsOptions) {
    this.#options = options;
  }

  get report(): LinkReport {
    return { instance: this.#instance, version: this.#version, links: this.#options.links() };
  }

  linksChanged(): void {
    this.#version++;
    this.#notifySoon();
  }

  status(host: string, status: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify(status);
    if (text.length > MAX_STATUS_CHARS) {
      console.warn("signal log: a host's status is too long to be kept", host, text.length);
      return;
    }
    this.#statuses.set(host, text);
    this.#notifySoon();
  }

  factsReceived(host: string, request: string, facts: Readonly<Record<string, unknown>>): void {
    this.#waiting.get(`${host} ${request}`)?.(JSON.stringify(facts));
  }

  async gather(monitors: readonly string[], timeoutMs: number, after: GatherAfter): Promise<HostAnswers> {
    const request = crypto.randomUUID();
    const answers = new Map<string, string>();
    const asked = this.#options.ask((host) =>
      JSON.stringify({ type: "gather", request, monitors, after: after.get(host) ?? {} }),
    );
    let missing = asked.size;
    if (missing > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        for (const host of asked.keys()) {
          this.#waiting.set(`${host} ${request}`, (facts) => {
            this.#waiting.delete(`${host} ${request}`);
            answers.set(host, facts);
            if (--missing > 0) return;
            clearTimeout(timer);
            resolve();
          });
        }
      });
    }
    for (const host of asked.keys()) this.#waiting.delete(`${host} ${request}`);
    const silent = [...asked].filter(([host, open]) => !answers.has(host) && open()).map(([host]) => host);
    return { report: this.report, answers, silent, headSeq: this.#options.head() };
  }

  #notifySoon(): void {
    this.#pending = true;
    if (this.#notifying) return;
    this.#notifying = true;
    this.#options.keepAlive(this.#notify());
  }

  async #notify(): Promise<void> {
    let tries = 0;
    while (this.#pending) {
      this.#pending = false;
      const statuses = this.#statuses;
      this.#statuses = new Map();
      try {
        await this.#options.registry().report(this.report, statuses);
        tries = 0;
      } catch (error) {
        // A newer status of the same host wins.
        this.#statuses = new Map([...statuses, ...this.#statuses]);
        if (++tries >= TRIES) {
          console.warn(
            "signal log: the registry of agents could not be notified which hosts are linked",
            String(error),
          );
          break;
        }
        this.#pending = true;
        await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** tries));
      }
    }
    this.#notifying = false;
  }
}
