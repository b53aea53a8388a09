import { join } from "node:path";
import { limitsAround } from "../../src/core/json/limits.ts";
import { readJsonKeeping, refusalText } from "../../src/core/json/read-json.ts";
import { DirectoryWatch } from "../base/files/directory-watch.ts";
import { FILE_START, type LastLine, type Line, LineFile, MAX_LINE_BYTES, NotRead } from "../base/files/line-file.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import type { TimedSignal } from "../store/signal-text.ts";
import { MAX_PUT, type Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import { FilePositions, type ReadSoFar } from "./file-positions.ts";
import { type FilesByName, METRIC_FILES, type MetricFile, metricNameOf, observationOf } from "./records.ts";

export interface MetricFileSourceOptions {
  readonly directory: string;
  /** The files to follow, by their names in the directory; default: all under their own names. */
  readonly files?: FilesByName;
  /** Default: `metrics`. */
  readonly name?: string;
  readonly hostId: string;
  readonly spool: Spool;
  readonly db: StateDatabase;
  /** Receives lines that cannot be read. */
  readonly deadLetters: DeadLetterFile;
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds between two scans of the directory; default 3,000. */
  readonly rescanMs?: number;
}

/** After this time without a write, the last line of a renamed file is complete, even without its line feed. */
const RENAMED_QUIET_MS = 2_000;
/** The same for a file under its own name, whose last line has to be a whole JSON object. */
const QUIET_MS = 10_000;
/** Files that the report names. */
const SHOWN_FILES = 3;
const LIMITS_OF_LINE = limitsAround(0);

/** How much of a line that cannot be read goes into its dead letter. */
const SHOWN_CHARACTERS = 500;

/**
 * Follows the metric files of older tools: every whole line becomes an `OBSERVATION`, once. A file's position is written
 * in the same transaction as its observations, so a crash leaves both or neither.
 *
 * A renamed file is read to its end under its new name; a file that is emptied in place is read from its start, and the
 * line that stood at its end without a line feed counts. Copies,
 * and files that were created and renamed while the agent was down, are not read: they cannot be distinguished from files
 * that were already read, and no line may count twice.
 */
export class MetricFileSource implements ReportingService {
  readonly name: string;
  readonly #files: FilesByName;
  readonly #options: MetricFileSourceOptions;
  readonly #positions: FilePositions;
  readonly #watch: DirectoryWatch;
  readonly #listeners = new Listeners();
  readonly #reading = new Map<string, Promise<void>>();
  /** Entries that were reported again while they were being read. */
  readonly #changed = new Set<string>();
  /** Files that could not be read the last time, with the reason. */
  readonly #unread = new Map<string, string>();
  /** Entries that were reported since the last scan began. */
  #offered = new Set<string>();
  #running = false;
  #failure: string | undefined = "not started";
  #takenCount = 0;
  #badCount = 0;
  #keptAsText = 0;

  constructor(options: MetricFileSourceOptions) {
    this.#options = options;
    this.name = options.name ?? "metrics";
    this.#files = options.files ?? new Map(METRIC_FILES.map((file) => [file, file]));
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
    if (this.#unread.size > 0)
      return { name: this.name, state: "failing", detail: `${directory}: ${this.#unreadText}` };
    const bad = this.#badCount === 0 ? "" : `; ${this.#badCount} lines could not be read`;
    return { name: this.name, state: "live", detail: `${directory}${bad}` };
  }

  /** Lines taken in, lines that could not be read, and numbers that were kept as text, since the start. */
  get counts(): { taken: number; bad: number; keptAsText: number } {
    return { taken: this.#takenCount, bad: this.#badCount, keptAsText: this.#keptAsText };
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

  /** Scans the whole directory now; resolves when its files were read. */
  async rescan(): Promise<void> {
    await this.#watch.scan();
    while (this.#reading.size > 0) await Promise.all(this.#reading.values());
  }

  get #unreadText(): string {
    const files = [...this.#unread].slice(0, SHOWN_FILES).map(([file, reason]) => `${file} is not read: ${reason}`);
    const more = this.#unread.size - files.length;
    return files.join("; ") + (more > 0 ? `; and ${more} more` : "");
  }

  #scanned(failure: string | undefined): void {
    if (failure === undefined) {
      for (const entry of this.#unread.keys()) if (!this.#offered.has(entry)) this.#note(entry, undefined);
      this.#offered = new Set();
    }
    if (failure === this.#failure) return;
    if (failure !== undefined) this.#options.log.error({ directory: this.#options.directory }, `metrics: ${failure}`);
    this.#failure = failure;
    this.#listeners.notify();
  }

  #offer(entry: string): void {
    const name = metricNameOf(entry, this.#files);
    const file = name === undefined ? undefined : this.#files.get(name);
    if (!this.#running || name === undefined || file === undefined) return;
    this.#offered.add(entry);
    if (this.#reading.has(entry)) {
      this.#changed.add(entry);
      return;
    }
    const reading = this.#follow(entry, entry !== name, file)
      .then(
        () => this.#note(entry, undefined),
        // The position was not written, so the next scan reads the same lines again.
        (error: Error) => this.#note(entry, error),
      )
      .finally(() => {
        this.#reading.delete(entry);
        if (this.#changed.delete(entry)) this.#offer(entry);
      });
    this.#reading.set(entry, reading);
  }

  /** Notes whether a file was read. A reason is logged once, not with each scan. */
  #note(entry: string, error: Error | undefined): void {
    if (this.#unread.get(entry) === error?.message) return;
    if (error === undefined) this.#unread.delete(entry);
    else {
      this.#unread.set(entry, error.message);
      const { log } = this.#options;
      if (error instanceof NotRead) log.warn({ file: entry }, `metrics: a file is not read: ${error.message}`);
      else log.error({ err: error, file: entry }, "metrics: a file could not be read");
    }
    this.#listeners.notify();
  }

  async #follow(entry: string, isRenamed: boolean, name: MetricFile): Promise<void> {
    const file = await LineFile.open(join(this.#options.directory, entry)).catch((error: unknown) => {
      // Under the name of a rotated file, a link is no file of ours.
      if (!isRenamed || !(error instanceof NotRead)) throw error;
    });
    if (file === undefined) return;
    try {
      const known = this.#positions.find(file.identity);
      // A rotated file counts only if it was read under its own name: any other is a copy, or older than this agent.
      if (known === undefined && isRenamed) return;
      const before = known?.position ?? FILE_START;
      let position = await file.resume(before);
      let tail = known?.tail;
      if (tail !== undefined && (await file.hasLost(tail, before, position))) {
        const line = { offset: before.offset, bytes: tail };
        position = FILE_START;
        tail = undefined;
        await this.#take(name, file.identity, [line], { position, tail });
      }
      while (this.#running) {
        const batch = await file.read(position, MAX_PUT, await this.#lastLine(file, isRenamed));
        if (batch.position === position && sameBytes(batch.tail, tail)) return;
        await this.#take(name, file.identity, batch.lines, batch);
        position = batch.position;
        tail = batch.tail;
      }
    } finally {
      await file.close();
    }
  }

  /** A program that has renamed its file, or has stopped, may have left the last line without its line feed. */
  async #lastLine(file: LineFile, isRenamed: boolean): Promise<LastLine> {
    const quietMs = this.#options.now() - (await file.writtenMs());
    if (isRenamed) return quietMs >= RENAMED_QUIET_MS ? "take" : "leave";
    return quietMs >= QUIET_MS ? "object" : "leave";
  }

  async #take(name: MetricFile, identity: string, lines: readonly Line[], soFar: ReadSoFar): Promise<void> {
    const { spool, db } = this.#options;
    const signals: TimedSignal[] = [];
    let bad = 0;
    for (const line of lines) {
      const read = this.#signalOf(name, line);
      if (read === undefined) continue;
      if (typeof read !== "string") signals.push(read);
      else {
        bad++;
        await this.#deadLetter(name, line, read);
      }
    }
    const also = this.#positions.save(identity, soFar);
    if (signals.length > 0) await spool.put("local", signals, { also });
    else await db.commit(1, also);
    this.#takenCount += signals.length;
    this.#badCount += bad;
    if (bad > 0) this.#listeners.notify();
  }

  /** @returns the signal, an error text, or `undefined` for an empty line */
  #signalOf(name: MetricFile, { bytes }: Line): TimedSignal | string | undefined {
    if (bytes === undefined) return `the line is longer than ${MAX_LINE_BYTES} bytes`;
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
      if (text === "") return undefined;
      const reading = readJsonKeeping(text, LIMITS_OF_LINE);
      if (!reading.ok) return refusalText(reading);
      this.#keptAsText += reading.keptAsText;
      const taken = takeIn(observationOf(name, reading.value, this.#options.hostId), this.#options.now());
      return taken.ok ? taken.signal : errorsText(taken.errors);
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Runs before the position is written: a crash in between reports the line twice, and never loses it. */
  async #deadLetter(file: MetricFile, { offset, bytes }: Line, error: string): Promise<void> {
    const { deadLetters, now, log, hostId } = this.#options;
    const line = bytes?.toString("utf8").slice(0, SHOWN_CHARACTERS);
    const line_bytes = bytes?.length;
    const timestamp = new Date(now()).toISOString();
    log.warn({ file, offset }, `metrics: a line was skipped: ${error}`);
    await deadLetters.add({
      error,
      timestamp,
      daemon: `ganglion/agent/${hostId}/metrics`,
      file,
      offset,
      line,
      line_bytes,
    });
  }
}

function sameBytes(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
