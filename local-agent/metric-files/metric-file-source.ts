import { join } from "node:path";
import { DirectoryWatch } from "../base/files/directory-watch.ts";
import { type Line, LineFile, MAX_LINE_BYTES } from "../base/files/line-file.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import type { TimedSignal } from "../store/signal-text.ts";
import { MAX_PUT, type Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import { FILE_START, type FilePosition, FilePositions } from "./file-positions.ts";
import { type MetricFile, metricFileOf, observationOf } from "./records.ts";

export interface MetricFilesOptions {
  readonly directory: string;
  readonly hostId: string;
  readonly spool: Spool;
  readonly db: StateDatabase;
  /** Where lines go that cannot be read. */
  readonly deadLetters: DeadLetterFile;
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds between two looks at the whole directory; default 3,000. */
  readonly rescanMs?: number;
}

/** What is shown of a line that cannot be read. */
const SHOWN_CHARACTERS = 500;

/**
 * Follows the metric files of older tools (R19): every whole line becomes an `OBSERVATION`, once. How far a file has been read is
 * written in the transaction that keeps its observations, so a crash leaves both or neither.
 *
 * A file that is renamed is read to its end under its new name; one that is emptied in place is read from its start.
 * Copies, and files that were made and renamed while the agent was away, are not read: to tell them from what was read
 * already is not possible, and no line is to count twice.
 */
export class MetricFiles implements ReportingService {
  readonly name = "metrics";
  readonly #options: MetricFilesOptions;
  readonly #positions: FilePositions;
  readonly #watch: DirectoryWatch;
  readonly #listeners = new Listeners();
  readonly #reading = new Map<string, Promise<void>>();
  /** Names that were told of while they were being read. */
  readonly #again = new Set<string>();
  #running = false;
  #failure: string | undefined = "not started";
  #taken = 0;
  #bad = 0;

  constructor(options: MetricFilesOptions) {
    this.#options = options;
    this.#positions = new FilePositions(options.db, options.now);
    this.#watch = new DirectoryWatch({
      directory: options.directory,
      rescanMs: options.rescanMs ?? 3_000,
      onName: (name) => this.#offer(name),
      onScan: (failure) => this.#scanned(failure),
      log: options.log,
    });
  }

  report(): Report {
    const { directory } = this.#options;
    if (this.#failure !== undefined)
      return { name: this.name, state: "failing", detail: `${directory}: ${this.#failure}` };
    const bad = this.#bad === 0 ? "" : `; ${this.#bad} lines could not be read`;
    return { name: this.name, state: "live", detail: `${directory}${bad}` };
  }

  /** Lines taken in, and lines that could not be read, since the start. */
  get counts(): { taken: number; bad: number } {
    return { taken: this.#taken, bad: this.#bad };
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#watch.start();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#watch.stop();
    await Promise.all(this.#reading.values());
  }

  /** Looks at the whole directory now, and resolves when what was there is read. */
  async rescan(): Promise<void> {
    await this.#watch.scan();
    while (this.#reading.size > 0) await Promise.all(this.#reading.values());
  }

  #scanned(failure: string | undefined): void {
    if (failure === this.#failure) return;
    if (failure !== undefined) this.#options.log.error({ directory: this.#options.directory }, `metrics: ${failure}`);
    this.#failure = failure;
    this.#tell();
  }

  #tell(): void {
    this.#listeners.tell();
  }

  #offer(entry: string): void {
    const file = metricFileOf(entry);
    if (!this.#running || file === undefined) return;
    if (this.#reading.has(entry)) {
      this.#again.add(entry);
      return;
    }
    const reading = this.#follow(entry, file)
      .catch((error: unknown) => {
        // Its position stands where it stood: it is tried again at the next look.
        this.#options.log.error({ err: error, file: entry }, "metrics: a file could not be read");
      })
      .finally(() => {
        this.#reading.delete(entry);
        if (this.#again.delete(entry)) this.#offer(entry);
      });
    this.#reading.set(entry, reading);
  }

  async #follow(entry: string, name: MetricFile): Promise<void> {
    const file = await LineFile.open(join(this.#options.directory, entry));
    if (file === undefined) return;
    try {
      const known = this.#positions.find(file.identity);
      // Under another name only what was read under its own: anything else is a copy, or older than this agent.
      if (known === undefined && entry !== name) return;
      let position = await file.resume(known ?? FILE_START);
      while (this.#running) {
        const stretch = await file.read(position, MAX_PUT);
        if (stretch.position === position) return;
        await this.#keep(name, file.identity, stretch.lines, stretch.position);
        position = stretch.position;
      }
    } finally {
      await file.close();
    }
  }

  async #keep(name: MetricFile, identity: string, lines: readonly Line[], position: FilePosition): Promise<void> {
    const { spool, db } = this.#options;
    const signals: TimedSignal[] = [];
    let bad = 0;
    for (const line of lines) {
      const read = this.#read(name, line);
      if (read === undefined) continue;
      if (typeof read !== "string") signals.push(read);
      else {
        bad++;
        await this.#bury(name, line, read);
      }
    }
    const also = this.#positions.save(identity, position);
    if (signals.length > 0) await spool.put("local", signals, { also });
    else await db.commit(1, also);
    this.#taken += signals.length;
    this.#bad += bad;
    if (bad > 0) this.#tell();
  }

  /** @returns the signal, what is wrong with the line, or `undefined` for one that holds nothing */
  #read(name: MetricFile, { bytes }: Line): TimedSignal | string | undefined {
    if (bytes === undefined) return `the line is longer than ${MAX_LINE_BYTES} bytes`;
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
      if (text === "") return undefined;
      const taken = takeIn(observationOf(name, JSON.parse(text), this.#options.hostId), this.#options.now());
      return taken.ok ? taken.signal : errorsText(taken.errors);
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Before the position moves: after a crash in between the line is reported a second time, and never not at all. */
  async #bury(file: MetricFile, { offset, bytes }: Line, error: string): Promise<void> {
    const { deadLetters, now, log, hostId } = this.#options;
    const line = bytes?.toString("utf8").slice(0, SHOWN_CHARACTERS);
    const timestamp = new Date(now()).toISOString();
    log.warn({ file, offset }, `metrics: a line was passed over: ${error}`);
    await deadLetters.add({ error, timestamp, daemon: `ganglion/agent/${hostId}/metrics`, file, offset, line });
  }
}
