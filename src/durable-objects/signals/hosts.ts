import type { LinkReport, OpenLink } from "../../core/hosts/api.ts";
import { boundedReport } from "../../core/hosts/bounded-report.ts";
import type { EdgeRound } from "../../core/hosts/edge-vitals.ts";
import type { GatherAfter, HostAnswers } from "../../core/hosts/links.ts";
import { logLine } from "../shell/log-line.ts";
import type { Complete } from "./complete.ts";

/** Calls of the log to the registry of agents. */
export interface RegistryCalls {
  /** @param statuses - JSON texts, by host */
  report(report: LinkReport, statuses: ReadonlyMap<string, string>): Promise<void>;
}

export interface HostsOptions {
  readonly registry: () => RegistryCalls;
  readonly links: () => OpenLink[];
  readonly head: () => number;
  readonly ask: (frame: (host: string, complete: Complete | undefined) => string) => Map<string, () => boolean>;
  readonly keepAlive: (work: Promise<void>) => void;
  /** The registry knows of processes that need somebody, or no longer do. */
  readonly troubleChanged: () => void;
  /** Resolves when {@link links} is whole. */
  readonly known: () => Promise<void>;
  /** Asks the hosts whose links other objects hold. */
  readonly askElsewhere: (
    monitors: readonly string[],
    timeoutMs: number,
    after: GatherAfter,
    edge?: EdgeRound,
  ) => Promise<readonly HostAnswers[]>;
}

/** Characters of one answer, and of the answers of all hosts to one question, which travel in one call. */
const MAX_ANSWER_CHARS = 256 * 1024;
const MAX_ANSWERS_CHARS = 16 * 1024 * 1024;
/** Characters of the statuses that travel in one call. */
const MAX_STATUSES_CHARS = 4 * 1024 * 1024;
/** Of a process in a status that needs somebody, as a JSON text has it. */
const TROUBLE = /"(?:state":"gave_up|verdict":"hung)"/g;
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
  /** How many processes of a host need somebody, where any do. */
  readonly #trouble = new Map<string, number>();
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
    this.#statuses.set(host, JSON.stringify(boundedReport(status)));
    this.#notifySoon();
  }

  /** Statuses of hosts whose links another object holds, as JSON texts. */
  relayed(statuses: ReadonlyMap<string, string>): void {
    for (const [host, status] of statuses) this.#statuses.set(host, status);
    if (statuses.size > 0) this.#notifySoon();
  }

  factsReceived(host: string, request: string, facts: Readonly<Record<string, unknown>>): void {
    this.#waiting.get(`${host} ${request}`)?.(JSON.stringify(facts));
  }

  async gather(
    monitors: readonly string[],
    timeoutMs: number,
    after: GatherAfter,
    edge?: EdgeRound,
  ): Promise<HostAnswers> {
    const request = crypto.randomUUID();
    const answers = new Map<string, string>();
    const asked = this.#options.ask((host, complete) =>
      JSON.stringify({ type: "gather", request, monitors, after: after.get(host) ?? {}, complete, edge }),
    );
    const elsewhere = this.#options.askElsewhere(monitors, timeoutMs, after, edge);
    let missing = asked.size;
    let chars = 0;
    if (missing > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        for (const host of asked.keys()) {
          this.#waiting.set(`${host} ${request}`, (facts) => {
            this.#waiting.delete(`${host} ${request}`);
            const answer =
              chars + facts.length > MAX_ANSWERS_CHARS ? tooLarge(monitors, facts) : boundedAnswer(monitors, facts);
            chars += answer.length;
            answers.set(host, answer);
            if (--missing > 0) return;
            clearTimeout(timer);
            resolve();
          });
        }
      });
    }
    for (const host of asked.keys()) this.#waiting.delete(`${host} ${request}`);
    const silent = [...asked].filter(([host, open]) => !answers.has(host) && open()).map(([host]) => host);
    for (const other of await elsewhere) {
      silent.push(...other.silent);
      for (const [host, facts] of other.answers) {
        const answer = chars + facts.length > MAX_ANSWERS_CHARS ? tooLarge(monitors, facts) : facts;
        chars += answer.length;
        answers.set(host, answer);
      }
    }
    return { report: this.report, answers, silent, headSeq: this.#options.head() };
  }

  #notifySoon(): void {
    this.#pending = true;
    if (this.#notifying) return;
    this.#notifying = true;
    this.#options.keepAlive(this.#notify());
  }

  /** As many statuses as one call may carry; the others go with the next one. */
  #takeStatuses(): Map<string, string> {
    const taken = new Map<string, string>();
    let chars = 0;
    for (const [host, status] of this.#statuses) {
      if (chars > 0 && chars + status.length > MAX_STATUSES_CHARS) break;
      chars += status.length;
      taken.set(host, status);
      this.#statuses.delete(host);
    }
    if (this.#statuses.size > 0) this.#pending = true;
    return taken;
  }

  /** @returns whether other processes need somebody than before */
  #noteTrouble(statuses: ReadonlyMap<string, string>): boolean {
    let changed = false;
    for (const [host, status] of statuses) {
      const count = status.match(TROUBLE)?.length ?? 0;
      if (count === (this.#trouble.get(host) ?? 0)) continue;
      changed = true;
      if (count === 0) this.#trouble.delete(host);
      else this.#trouble.set(host, count);
    }
    return changed;
  }

  async #notify(): Promise<void> {
    let tries = 0;
    while (this.#pending) {
      this.#pending = false;
      const statuses = this.#takeStatuses();
      try {
        await this.#options.known();
        await this.#options.registry().report(this.report, statuses);
        if (this.#noteTrouble(statuses)) this.#options.troubleChanged();
        tries = 0;
      } catch (error) {
        // A newer status of the same host wins.
        this.#statuses = new Map([...statuses, ...this.#statuses]);
        if (++tries >= TRIES) {
          logLine("warn", "registry-not-notified", { object: "signals", error });
          break;
        }
        this.#pending = true;
        await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** tries));
      }
    }
    this.#notifying = false;
  }
}

/** An answer that is too long fails each monitor, with the reason for people to read. */
function boundedAnswer(monitors: readonly string[], facts: string): string {
  return facts.length <= MAX_ANSWER_CHARS ? facts : tooLarge(monitors, facts);
}

function tooLarge(monitors: readonly string[], facts: string): string {
  const error = `the answer of ${facts.length} characters is too long: a host may answer ${MAX_ANSWER_CHARS}, all hosts together ${MAX_ANSWERS_CHARS}`;
  return JSON.stringify(Object.fromEntries(monitors.map((monitor) => [monitor, { error }])));
}
