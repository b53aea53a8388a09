import { replay } from "../../src/core/reactions/run.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import { STOP_MS } from "../base/stop-within.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import type { Inbox } from "../store/inbox.ts";
import type { Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import { Attempts } from "./attempts.ts";
import { RunJournal } from "./journal.ts";
import { openReactions } from "./open-reactions.ts";
import type { ReactionsSettings } from "./settings.ts";
import { SignalReactions } from "./signal-reactions.ts";
import { TaskReactions } from "./task-reactions.ts";

export interface ReactionsOptions {
  readonly settings: ReactionsSettings;
  /** Relative paths of the settings start here. */
  readonly baseDir: string;
  readonly db: StateDatabase;
  readonly inbox: Inbox;
  readonly spool: Spool;
  readonly deadLetters: DeadLetterFile;
  /** Tells the edge of runs that are given up. */
  readonly letters: Pick<DeadLetterOutbox, "write">;
  readonly edge: { readonly url: string; readonly ecosystem: string; readonly token: () => string };
  readonly hostId: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** As long as the log keeps signals by default: what may come again is known again. */
const KEPT_MS = 7 * 24 * 3_600_000;
const PRUNE_EVERY_MS = 3_600_000;

/** What this host does about signals, each once (R27). */
export class Reactions implements ReportingService {
  readonly name = "reactions";
  readonly #options: ReactionsOptions;
  readonly #journal: RunJournal;
  readonly #attempts: Attempts;
  readonly #signals: SignalReactions;
  readonly #tasks: TaskReactions;
  #opened: ReturnType<typeof openReactions>;
  readonly #listeners = new Listeners();
  #graces: readonly number[];
  #pruning: NodeJS.Timeout | undefined;
  #running = false;

  constructor(options: ReactionsOptions) {
    const { settings, db, inbox, spool, edge, hostId, now, log } = options;
    this.#options = options;
    this.#journal = new RunJournal(db);
    const journal = this.#journal;
    this.#attempts = new Attempts({
      ...{ db, journal, spool, hostId, now, log },
      bury: ({ reaction, signal, error, attempts }) => {
        const letter = {
          ...{ id: `${hostId}.reaction.${reaction}.${signal.id}`, kind: "reaction" as const, signal },
          ...{ reaction: { name: reaction, signal_id: signal.id }, error, daemon: `reaction/${reaction}/${hostId}` },
        };
        const told = options.letters.write(letter);
        return () => {
          const finish = told();
          return () => {
            finish();
            const timestamp = new Date(now()).toISOString();
            void options.deadLetters.add({ ...letter, host: hostId, attempts, timestamp });
          };
        };
      },
    });
    this.#opened = openReactions(settings, options);
    this.#graces = gracesOf(settings);
    const attempts = this.#attempts;
    this.#signals = new SignalReactions({ db, inbox, journal, attempts, reactions: this.#opened.signals, now, log });
    this.#tasks = new TaskReactions({
      ...{ db, journal, attempts, reactions: this.#opened.tasks, ...edge, hostId, now, log },
    });
  }

  report(): Report {
    const count = this.#opened.signals.length + this.#opened.tasks.length;
    return {
      name: this.name,
      state: this.#running ? "live" : "starting",
      detail: `${count} reaction${count === 1 ? "" : "s"}`,
    };
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    const { signals, tasks } = this.#opened;
    await this.#attempts.recover(new Map([...signals, ...tasks].map((one) => [one.name, one])));
    this.#running = true;
    await this.#prune();
    this.#pruning = setInterval(() => void this.#prune(), PRUNE_EVERY_MS);
    await this.#signals.start();
    await this.#tasks.start();
    this.#listeners.notify();
  }

  /**
   * Goes on with other settings. A run that was begun finishes by those it was begun with; what comes or waits is done by
   * the new ones.
   *
   * @throws Error for settings that cannot be used; then nothing has changed
   */
  async configure(settings: ReactionsSettings): Promise<void> {
    this.#opened = openReactions(settings, this.#options);
    // Those of before count as well: what was begun by them may still run.
    this.#graces = [Math.max(0, ...this.#graces), ...gracesOf(settings)];
    await this.#signals.setReactions(this.#opened.signals);
    this.#tasks.setReactions(this.#opened.tasks);
    this.#listeners.notify();
  }

  /** What the most patient command is given between SIGTERM and SIGKILL, and what else a part may take. */
  get stopMs(): number {
    return Math.max(0, ...this.#graces) + STOP_MS;
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    clearInterval(this.#pruning);
    await this.#signals.stop();
    const tasks = this.#tasks.stop();
    await this.#attempts.stop();
    await tasks;
  }

  /** Attempts that ended since the start. */
  get outcomes(): Attempts["outcomes"] {
    return this.#attempts.outcomes;
  }

  /** How each fares: runs that wait, that are being made, and that were given up within the last days. */
  states(): { name: string; waiting: number; running: number; dead: number }[] {
    return [...this.#opened.signals, ...this.#opened.tasks].map(({ name }) => ({
      name,
      ...this.#journal.counts(name),
    }));
  }

  /**
   * Runs a reaction again that was given up.
   *
   * @param cause - id of the signal
   * @returns `already` where it is done, or about to be
   */
  async replay(name: string, cause: string): Promise<"replayed" | "already" | "unknown" | "no_reaction"> {
    const { db, now } = this.#options;
    const reaction = this.#opened.signals.find((one) => one.name === name);
    if (reaction === undefined) return "no_reaction";
    // Looked up inside of the transaction: two who ask at once start it once.
    const outcome = await db.commit<"replayed" | "already" | "unknown">(1, () => {
      const entry = this.#journal.find(name, cause);
      if (entry === undefined) return () => "unknown";
      const again = replay(entry.run, now());
      if (again === undefined) return () => "already";
      this.#journal.set(entry.key, again, now());
      return () => "replayed";
    });
    if (outcome === "replayed") this.#signals.schedule(name);
    return outcome;
  }

  async #prune(): Promise<void> {
    const { db, now, log } = this.#options;
    const before = now() - KEPT_MS;
    try {
      for (let more = true; more; )
        more = await db.commit<boolean>(1_000, () => {
          const left = this.#journal.prune(before);
          return () => left;
        });
    } catch (error) {
      log.warn({ err: error }, "reactions: the journal could not be cleaned");
    }
  }
}

/** Of the commands, and of what built-ins run beside them. */
function gracesOf(settings: ReactionsSettings): number[] {
  return Object.values(settings).flatMap(({ run }) =>
    [run, ...Object.values(run)].flatMap((part: unknown) =>
      typeof part === "object" && part !== null && "grace_ms" in part ? Number(part.grace_ms) : [],
    ),
  );
}
