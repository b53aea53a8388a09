import { replay } from "../../src/core/reactions/run.ts";
import type { DeadLetterFile } from "../dead-letter-file.ts";
import type { Inbox } from "../inbox.ts";
import type { Logger } from "../log.ts";
import type { Report, ReportingService } from "../service.ts";
import type { Spool } from "../spool.ts";
import type { StateDatabase } from "../state-database.ts";
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
  readonly #opened: ReturnType<typeof openReactions>;
  readonly #listeners = new Set<() => void>();
  #pruning: NodeJS.Timeout | undefined;
  #running = false;

  constructor(options: ReactionsOptions) {
    const { settings, db, inbox, spool, edge, hostId, now, log } = options;
    this.#options = options;
    this.#journal = new RunJournal(db);
    const journal = this.#journal;
    this.#attempts = new Attempts({
      ...{ db, journal, spool, hostId, now, log },
      onDead: ({ reaction, signal, error, attempts }) =>
        void options.deadLetters.add({
          ...{ id: `${hostId}/${reaction}/${signal.id}`, kind: "reaction", signal, error },
          ...{ daemon: `reaction ${reaction} on ${hostId}`, attempts, timestamp: new Date(now()).toISOString() },
        }),
    });
    this.#opened = openReactions(settings, options);
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
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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
    for (const listener of this.#listeners) listener();
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

  /**
   * Runs a reaction again that was given up.
   * @returns what there is to say where it cannot
   */
  async replay(name: string, cause: string): Promise<string | undefined> {
    const { db, now } = this.#options;
    const reaction = this.#opened.signals.find((one) => one.name === name);
    if (reaction === undefined) return `this host has no reaction to signals named ${name}`;
    const entry = this.#journal.find(name, cause);
    if (entry === undefined) return `the reaction ${name} knows nothing of ${cause}`;
    const again = replay(entry.run, now());
    if (again === undefined)
      return `the reaction ${name} to ${cause} is ${entry.run.state}: only what was given up runs again`;
    await db.commit<void>(1, () => {
      this.#journal.set(entry.key, again, now());
      return () => undefined;
    });
    this.#signals.schedule(reaction);
    return undefined;
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
