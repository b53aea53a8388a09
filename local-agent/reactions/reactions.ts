import type { TracedRun } from "../../src/core/hosts/signal-trace.ts";
import { replay } from "../../src/core/reactions/run.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import { KeptOutputs } from "../base/process/kept-outputs.ts";
import type { Report, ReportingService } from "../base/service.ts";
import { STOP_MS } from "../base/stop-within.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import type { Inbox } from "../store/inbox.ts";
import type { Spool } from "../store/spool.ts";
import type { StateDatabase, Write } from "../store/state-database.ts";
import { AttemptRunner, type AttemptRunnerOptions, type DeadRun } from "./attempt-runner.ts";
import { RunJournal } from "./journal.ts";
import { openReactions } from "./open-reactions.ts";
import type { ReactionsSettings } from "./settings.ts";
import { SignalReactions } from "./signal-reactions.ts";
import { TaskReactions } from "./task-reactions.ts";

export interface ReactionsOptions {
  readonly settings: ReactionsSettings;
  /** Relative paths of the settings start here. */
  readonly baseDir: string;
  /** Directory for outputs of commands that are too large for a signal. */
  readonly outputsDir: string;
  readonly db: StateDatabase;
  readonly inbox: Inbox;
  readonly spool: Spool;
  readonly deadLetters: DeadLetterFile;
  /** Reports dead runs to the edge. */
  readonly deadLetterOutbox: Pick<DeadLetterOutbox, "write" | "put">;
  readonly edge: { readonly url: string; readonly ecosystem: string; readonly token: () => string };
  readonly hostId: string;
  readonly now: () => number;
  readonly log: Logger;
  readonly ran?: AttemptRunnerOptions["ran"];
}

/** As long as the log keeps signals by default: a signal that arrives again is recognised. */
const KEPT_MS = 7 * 24 * 3_600_000;
const PRUNE_EVERY_MS = 3_600_000;
const OUTPUTS_BYTES = 512 * 1024 * 1024;

/** The reactions of this host. Each runs once for each signal or task. */
export class Reactions implements ReportingService {
  readonly name = "reactions";
  readonly #options: ReactionsOptions;
  readonly #journal: RunJournal;
  readonly #attempts: AttemptRunner;
  readonly #signals: SignalReactions;
  readonly #tasks: TaskReactions;
  readonly #outputs: KeptOutputs;
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
    const deadLetter = (dead: DeadRun) => this.#deadLetter(dead);
    this.#attempts = new AttemptRunner({ db, journal, spool, hostId, now, log, deadLetter, ran: options.ran });
    const { outputsDir: directory } = options;
    this.#outputs = new KeptOutputs({ directory, maxBytes: OUTPUTS_BYTES, maxAgeMs: KEPT_MS });
    this.#opened = this.#open(settings);
    this.#graces = gracesOf(settings);
    const attempts = this.#attempts;
    const { signals, tasks } = this.#opened;
    const unhandled = { outbox: options.deadLetterOutbox, hostId };
    this.#signals = new SignalReactions({
      db,
      inbox,
      journal,
      attempts,
      reactions: signals,
      now,
      log,
      deadLetters: unhandled,
    });
    this.#tasks = new TaskReactions({ ...edge, db, journal, attempts, reactions: tasks, hostId, now, log });
  }

  #open(settings: ReactionsSettings): ReturnType<typeof openReactions> {
    return openReactions(settings, { ...this.#options, outputs: this.#outputs });
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
   * Continues with other settings. A run that is under way finishes by the settings with which it began; runs that wait
   * or come later use the new ones.
   *
   * @throws Error for settings that cannot be used; then nothing has changed
   */
  async configure(settings: ReactionsSettings): Promise<void> {
    this.#opened = this.#open(settings);
    // The old settings count as well: their runs may still be under way.
    this.#graces = [Math.max(0, ...this.#graces), ...gracesOf(settings)];
    await this.#signals.setReactions(this.#opened.signals);
    this.#tasks.setReactions(this.#opened.tasks);
    this.#listeners.notify();
  }

  /** The longest time from SIGTERM to SIGKILL of any command, plus the time that any service may take. */
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
  get outcomes(): AttemptRunner["outcomes"] {
    return this.#attempts.outcomes;
  }

  /** For each reaction, runs that wait, that are under way, and that failed for good within the last days. */
  states(): { name: string; waiting: number; running: number; dead: number }[] {
    return [...this.#opened.signals, ...this.#opened.tasks].map(({ name }) => ({
      name,
      ...this.#journal.counts(name),
    }));
  }

  /** What became of a signal here, by the reactions that are configured. */
  runsOf(cause: string): TracedRun[] {
    const entries = this.#opened.signals.flatMap(({ name }) => this.#journal.find(name, cause) ?? []);
    return entries.map(({ reaction, run, error }) => {
      const failed = run.state === "dead" ? run.error : error;
      return {
        reaction,
        state: STATES[run.state],
        attempts: run.attempts,
        ...(failed !== null && failed !== "" && { error: failed.slice(0, 200) }),
      };
    });
  }

  /**
   * Repeats a run that failed for good.
   *
   * @param cause - id of the signal
   * @returns `already`: the run is done, or will be
   */
  async replay(name: string, cause: string): Promise<"replayed" | "already" | "unknown" | "no_reaction"> {
    const { db, now } = this.#options;
    const reaction = this.#opened.signals.find((one) => one.name === name);
    if (reaction === undefined) return "no_reaction";
    // Looked up inside the transaction: two requests at the same time start one run.
    const outcome = await db.commit<"replayed" | "already" | "unknown">(1, () => {
      const entry = this.#journal.find(name, cause);
      if (entry === undefined) return () => "unknown";
      const replayed = replay(entry.run, now());
      if (replayed === undefined) return () => "already";
      this.#journal.set(entry.key, replayed, now());
      return () => "replayed";
    });
    if (outcome === "replayed") this.#signals.schedule(name);
    return outcome;
  }

  /** Reports a dead run to the edge in the transaction that ends it, and to the host's dead-letter file after it. */
  #deadLetter({ reaction, signal, error, attempts }: DeadRun): Write<void> {
    const { hostId, now, deadLetterOutbox, deadLetters } = this.#options;
    const deadLetter = {
      id: `${hostId}.reaction.${reaction}.${signal.id}`,
      kind: "reaction" as const,
      signal,
      reaction: { name: reaction, signal_id: signal.id },
      error,
      daemon: `reaction/${reaction}/${hostId}`,
    };
    const write = deadLetterOutbox.write(deadLetter);
    return () => {
      const finish = write();
      return () => {
        finish();
        void deadLetters.add({ ...deadLetter, host: hostId, attempts, timestamp: new Date(now()).toISOString() });
      };
    };
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
      await this.#outputs.prune(now());
    } catch (error) {
      log.warn({ err: error }, "reactions: old runs and outputs could not be deleted");
    }
  }
}

const STATES = { pending: "waiting", running: "running", done: "done", dead: "failed" } as const;

/** `grace_ms` of all commands: of reactions, and of the checks that built-ins run. */
function gracesOf(settings: ReactionsSettings): number[] {
  return Object.values(settings).flatMap(({ run }) =>
    [run, ...Object.values(run)].flatMap((part: unknown) =>
      typeof part === "object" && part !== null && "grace_ms" in part ? Number(part.grace_ms) : [],
    ),
  );
}
