import { INTENT_MAP, type IntentRoute } from "../../src/core/intents/intent-map.ts";
import { mapIntent } from "../../src/core/intents/map-intent.ts";
import { limitsAround } from "../../src/core/json/limits.ts";
import { BackOff } from "../base/back-off.ts";
import type { DeadFile } from "../base/files/dead-letter-folder.ts";
import { DirectoryWatch } from "../base/files/directory-watch.ts";
import { isLasting } from "../base/files/lasting-error.ts";
import { RawNames } from "../base/files/raw-names.ts";
import {
  type DroppedFile,
  type DroppedFileLimits,
  type FileVersion,
  readDroppedFile,
} from "../base/files/read-dropped-file.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import { takeIn } from "../store/intake.ts";
import type { Spool } from "../store/spool.ts";
import { ForeignFiles } from "./foreign-files.ts";
import { IntentDeadLetters, JSON_LINES_REASON } from "./intent-dead-letters.ts";
import type { ObservedFiles } from "./observed-files.ts";
import { replayIntent } from "./replay-intent.ts";
import { SettlingFiles } from "./settling-files.ts";
import { StagedFiles, versionAt, type WatchedFile } from "./staged-files.ts";

export interface IntentSourceOptions {
  readonly directory: string;
  /** Routes; the first that matches counts. Default {@link INTENT_MAP}. */
  readonly map?: readonly IntentRoute[];
  readonly hostId: string;
  readonly spool: Spool;
  /** Reports dead-lettered files to the edge. */
  readonly deadLetters: Pick<DeadLetterOutbox, "put">;
  /** Another program takes the files away: each is routed and left; default: this agent takes them. */
  readonly observed?: ObservedFiles | undefined;
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds between two scans of the directory; default 3,000. */
  readonly rescanMs?: number;
  /** Milliseconds for which a file that is not JSON must not change before it is dead-lettered; default 1,000. */
  readonly settleMs?: number;
}

/** A larger file is a mistake: a signal with its facts is 64 KiB at most. */
const LIMITS: DroppedFileLimits = { content: "an intent", maxBytes: 256 * 1024, json: limitsAround(1) };
/** Files read at the same time: their signals share one commit of the spool. */
const CONCURRENCY = 64;
/** Pause before a file whose handling failed is tried again, which doubles up to the second one. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/**
 * Turns files in a directory into signals: reads a file, writes its signal to the spool, and only then removes the
 * file. A crash in between leaves the file, and the spool knows by its identity that it was taken.
 */
export class IntentSource implements ReportingService {
  readonly name = "intents";
  readonly #options: IntentSourceOptions;
  readonly #watch: DirectoryWatch;
  readonly #staged: StagedFiles;
  readonly #settling: SettlingFiles;
  readonly #dead: IntentDeadLetters;
  readonly #waiting = new Set<string>();
  readonly #busy = new Map<string, Promise<void>>();
  /** Entries that were reported again while they were being handled. */
  readonly #changed = new Set<string>();
  readonly #listeners = new Listeners();
  readonly #foreign: ForeignFiles;
  readonly #backOff: BackOff;
  readonly #rawNames: RawNames;
  #running = false;
  #failure: string | undefined = "not started";
  #routedCount = 0;
  #deadCount = 0;
  #keptAsText = 0;
  #map: readonly IntentRoute[];

  constructor(options: IntentSourceOptions) {
    const { directory, hostId, deadLetters, now, log } = options;
    this.#options = options;
    this.#map = options.map ?? INTENT_MAP;
    const offer = (entry: string) => this.#offer(entry);
    this.#staged = new StagedFiles(directory, offer);
    this.#settling = new SettlingFiles(options.settleMs ?? 1_000, offer);
    this.#dead = new IntentDeadLetters({ directory, hostId, deadLetters, now });
    this.#foreign = new ForeignFiles(directory, log);
    this.#backOff = new BackOff({
      initialMs: RETRY_MS,
      maxMs: MAX_RETRY_MS,
      onNewReason: (file, error, pauseMs) =>
        log.error(
          { err: error, file, next_attempt_ms: pauseMs },
          "intents: a file could not be handled; it is tried again",
        ),
    });
    const wants = (shown: string) => this.#running && this.#wants(shown);
    this.#rawNames = new RawNames({ directory, wants, onRenamed: offer, what: "intents", log });
    this.#watch = new DirectoryWatch({
      directory,
      rescanMs: options.rescanMs ?? 3_000,
      onName: offer,
      onRawName: (name) => this.#rawNames.take(name),
      onScan: (failure) => this.#scanned(failure),
      log,
    });
  }

  report(): Report {
    const { directory, observed } = this.#options;
    if (this.#failure !== undefined)
      return { name: this.name, state: "failing", detail: `${directory}: ${this.#failure}` };
    const left = observed === undefined ? "" : " (observed: files are left there)";
    return { name: this.name, state: "live", detail: `${directory}${left}${this.#foreign.text}` };
  }

  /** Since the start: files routed, files moved to dead letters, and numbers of routed files kept as text. */
  get counts(): { routed: number; dead: number; keptAsText: number } {
    return { routed: this.#routedCount, dead: this.#deadCount, keptAsText: this.#keptAsText };
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Applies to files handled from now on. Files that were dead-lettered under another map stay where they are. */
  setMap(map: readonly IntentRoute[] = INTENT_MAP): void {
    this.#map = map;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#watch.start();
    // The scan has seen every file that is still in the directory, long before the identity of one of them is old
    // enough to be pruned.
    await this.#options.spool.pruneTaken();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#watch.stop();
    this.#settling.clear();
    this.#waiting.clear();
    await this.#rawNames.settled();
    await Promise.all(this.#busy.values());
  }

  /**
   * Puts the files of a dead letter back, see {@link replayIntent}. The edge is notified of a dead letter before its
   * file is moved, and may ask for a replay at once: files that are being handled are waited for.
   */
  async replay(letter: unknown): Promise<{ files: string[] }> {
    await Promise.all(this.#busy.values());
    return replayIntent(letter, this.#options.directory);
  }

  /** Scans the whole directory now, and tries again what failed. */
  async rescan(): Promise<void> {
    this.#backOff.clear();
    await this.#watch.scan();
  }

  #scanned(failure: string | undefined): void {
    const others = failure === undefined && this.#foreign.scanned();
    if (failure === this.#failure && !others) return;
    if (failure !== undefined) this.#options.log.error({ directory: this.#options.directory }, `intents: ${failure}`);
    this.#failure = failure;
    this.#listeners.notify();
  }

  #offer(entry: string): void {
    if (!this.#running || !this.#wants(entry) || this.#backOff.waits(entry)) return;
    if (this.#busy.has(entry)) this.#changed.add(entry);
    else this.#waiting.add(entry);
    this.#next();
  }

  #wants(entry: string): boolean {
    const kind = this.#staged.kindOf(entry);
    if (kind === "other") this.#foreign.note(entry);
    return kind === "intent" || kind === "json_lines";
  }

  #next(): void {
    for (const entry of this.#waiting) {
      if (this.#busy.size >= CONCURRENCY) return;
      this.#waiting.delete(entry);
      const file = this.#staged.locate(entry);
      const work = this.#handle(file)
        .catch((error: unknown) => this.#refuse(file, error))
        .then(
          () => this.#backOff.succeeded(entry),
          // The file stays, and a later scan tries it again.
          (error: unknown) => void this.#backOff.failed(entry, error),
        )
        .finally(() => {
          this.#busy.delete(entry);
          if (this.#changed.delete(entry) && this.#running) this.#waiting.add(entry);
          this.#next();
        });
      this.#busy.set(entry, work);
    }
  }

  /** A file that would fail each time becomes a dead letter. @throws any other error */
  async #refuse(file: WatchedFile, error: unknown): Promise<void> {
    if (!isLasting(error)) throw error;
    await this.#deadLetter(file, undefined, { reason: `the file cannot be handled: ${(error as Error).message}` });
  }

  async #handle(file: WatchedFile): Promise<void> {
    const { observed, spool } = this.#options;
    if (observed?.isKnown(file.entry, await versionAt(file.path))) return;
    if (this.#staged.kindOf(file.entry) === "json_lines") return this.#refuseLines(file);
    const content = await readDroppedFile(file.path, file.name, LIMITS);
    if (content.kind !== "not_json") this.#settling.forget(file.entry);
    switch (content.kind) {
      case "gone":
        // Not where the name belongs to a directory.
        if (observed !== undefined && (await versionAt(file.path)) === undefined)
          await observed.gone(file.entry, (identity) => spool.forgetTaken(identity));
        return;
      case "changing":
        // The program that writes to the file causes the next event; the next scan makes up for a lost event.
        return;
      case "unreadable":
        await this.#deadLetter(file, content.version, {
          reason: content.reason,
          ...(content.errors && { errors: content.errors }),
        });
        return;
      case "not_json":
        if (this.#running && this.#settling.hasSettled(file.entry, content.version))
          await this.#deadLetter(file, content.version, { reason: content.reason });
        return;
      case "json":
        await this.#route(file, content);
    }
  }

  /** Waits like for a file that is not JSON: the program that writes the lines may not have finished. */
  async #refuseLines(file: WatchedFile): Promise<void> {
    const version = await versionAt(file.path);
    if (version === undefined || !this.#running || !this.#settling.hasSettled(file.entry, version)) return;
    await this.#deadLetter(file, version, { reason: JSON_LINES_REASON });
  }

  async #route(file: WatchedFile, content: Extract<DroppedFile, { kind: "json" }>): Promise<void> {
    const { spool, hostId, now, observed } = this.#options;
    const mapped = mapIntent(content.value, this.#map);
    if (!mapped.ok) {
      const { reason, errors, intentType } = mapped;
      await this.#deadLetter(file, content.version, {
        reason,
        ...(errors && { errors }),
        ...(intentType !== undefined && { intent_type: intentType }),
      });
      return;
    }
    const taken = takeIn({ signal: mapped.signal, source: `intent-router/${hostId}`, facts: mapped.facts }, now());
    if (!taken.ok) {
      const reason = "the intent does not make a valid signal";
      await this.#deadLetter(file, content.version, { reason, errors: taken.errors });
      return;
    }
    const outcome = await spool.put("local", [taken.signal], { taken: content.identity });
    if (!outcome.already) {
      this.#routedCount++;
      this.#keptAsText += content.keptAsText;
      const id = `${spool.producer("local")}.${outcome.first}`;
      this.#options.log.debug({ file: file.name, signal: mapped.signal, signal_id: id }, "intents: a file was routed");
    }
    if (observed !== undefined) {
      const { version, identity } = content;
      return observed.routed(file.entry, { version, identity, already: outcome.already }, mapped.signal, mapped.facts);
    }
    const staged = await this.#staged.stage(file, content.version);
    if (staged === undefined) return;
    // If the removal fails, the next scan tries again.
    await this.#staged.remove(staged);
    // The file cannot be seen again: the spool need not recognise it any more.
    await spool.forgetTaken(content.identity);
  }

  async #deadLetter(file: WatchedFile, version: FileVersion | undefined, dead: DeadFile): Promise<void> {
    const { observed, log } = this.#options;
    if (observed !== undefined) {
      log.warn({ file: file.name }, `intents: a file is left that cannot be routed: ${dead.reason.slice(0, 300)}`);
      return observed.unroutable(file.entry, version ?? (await versionAt(file.path)));
    }
    const staged = await this.#staged.stage(file, version);
    if (staged === undefined) return;
    const moved = await this.#dead.add(staged, file.name, dead).finally(() => this.#staged.release(staged));
    if (moved === undefined) return;
    this.#deadCount++;
    log.warn({ file: file.name, dead_letter: moved }, `intents: ${dead.reason.slice(0, 300)}`);
  }
}
