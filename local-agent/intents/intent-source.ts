import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, rename, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { INTENT_MAP, type IntentRoute } from "../../src/core/intents/intent-map.ts";
import { mapIntent } from "../../src/core/intents/map-intent.ts";
import { DirectoryWatch } from "../base/files/directory-watch.ts";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import { takeIn } from "../store/intake.ts";
import type { Spool } from "../store/spool.ts";
import { type DeadFile, moveToDeadLetters } from "./dead-letter-folder.ts";
import { type FileVersion, fileVersionOf, type IntentFile, readIntent } from "./read-intent.ts";
import { replayIntent } from "./replay-intent.ts";

export interface IntentSourceOptions {
  readonly directory: string;
  /** Routes, of which the first that matches counts; default {@link INTENT_MAP}. */
  readonly map?: readonly IntentRoute[];
  readonly hostId: string;
  readonly spool: Spool;
  /** Tells the edge of files that are given up. */
  readonly letters: Pick<DeadLetterOutbox, "put">;
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds between two looks at the whole directory; default 3,000. */
  readonly rescanMs?: number;
  /** How long a file that is not JSON must stand unchanged before it is given up, in milliseconds; default 1,000. */
  readonly settleMs?: number;
}

/** Of a file that is given up, in its letter. */
const LETTER_BYTES = 16_384;
/** Files that are read at the same time: they meet in one commit of the spool. */
const CONCURRENCY = 64;
/** What a file is called between its fate being settled and its removal: `.<name>.<random>.aside`. */
const ASIDE = /^\.(.+\.json)\.[0-9a-f]{12}\.aside$/;

/**
 * Turns files in a directory into signals (R21): read, keep the signal in the spool, and only then remove the file.
 * A crash in between leaves the file, and the spool knows from its identity that it was taken.
 */
export class IntentSource implements ReportingService {
  readonly name = "intents";
  readonly #options: IntentSourceOptions;
  readonly #watch: DirectoryWatch;
  readonly #folder: string;
  readonly #waiting = new Set<string>();
  readonly #busy = new Map<string, Promise<void>>();
  /** Names that were told of while they were being handled. */
  readonly #again = new Set<string>();
  readonly #settling = new Map<
    string,
    { readonly stamp: FileVersion; readonly timer: NodeJS.Timeout; elapsed: boolean }
  >();
  /** Files that were set aside by this process, which is at work on them. One that is not here was left by a crash. */
  readonly #asides = new Set<string>();
  readonly #listeners = new Listeners();
  #running = false;
  #failure: string | undefined = "not started";
  #routed = 0;
  #dead = 0;
  #map: readonly IntentRoute[];

  constructor(options: IntentSourceOptions) {
    this.#options = options;
    this.#map = options.map ?? INTENT_MAP;
    this.#folder = join(options.directory, "dead-letter");
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
    return { name: this.name, state: "live", detail: directory };
  }

  /** Files routed, and files moved to dead letters, since the start. */
  get counts(): { routed: number; dead: number } {
    return { routed: this.#routed, dead: this.#dead };
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /** For what is handled from now on; what was buried under another map stays where it is. */
  setMap(map: readonly IntentRoute[] = INTENT_MAP): void {
    this.#map = map;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    await this.#watch.start();
    // Whatever is still in the directory has been seen again by now, or soon is: long before its identity is that old.
    await this.#options.spool.pruneTaken();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#watch.stop();
    for (const { timer } of this.#settling.values()) clearTimeout(timer);
    this.#settling.clear();
    this.#waiting.clear();
    await Promise.all(this.#busy.values());
  }

  /**
   * Puts the files of a dead letter back, see {@link replayIntent}. The edge is told of a letter before its file is
   * moved to its place, and may ask for it at once: what is being handled comes first.
   */
  async replay(letter: unknown): Promise<{ files: string[] }> {
    await Promise.all(this.#busy.values());
    return replayIntent(letter, this.#options.directory);
  }

  /** Looks at the whole directory now. */
  async rescan(): Promise<void> {
    await this.#watch.scan();
  }

  #scanned(failure: string | undefined): void {
    if (failure === this.#failure) return;
    if (failure !== undefined) this.#options.log.error({ directory: this.#options.directory }, `intents: ${failure}`);
    this.#failure = failure;
    this.#listeners.tell();
  }

  #offer(name: string): void {
    if (!this.#running || !(ASIDE.test(name) || (name.endsWith(".json") && !name.startsWith(".")))) return;
    if (this.#asides.has(name)) return;
    if (this.#busy.has(name)) this.#again.add(name);
    else this.#waiting.add(name);
    this.#next();
  }

  #next(): void {
    for (const name of this.#waiting) {
      if (this.#busy.size >= CONCURRENCY) return;
      this.#waiting.delete(name);
      const work = this.#handle(name)
        .catch((error: unknown) => {
          // The file stays, and is tried again at the next look.
          this.#options.log.error({ err: error, file: name }, "intents: a file could not be handled");
        })
        .finally(() => {
          this.#busy.delete(name);
          if (this.#again.delete(name) && this.#running) this.#waiting.add(name);
          this.#next();
        });
      this.#busy.set(name, work);
    }
  }

  async #handle(entry: string): Promise<void> {
    const path = join(this.#options.directory, entry);
    // Left by a crash: its identity is that of the name under which it was dropped.
    const name = ASIDE.exec(entry)?.[1] ?? entry;
    const file = await readIntent(path, name);
    if (file.kind !== "unparsed") this.#settled(entry);
    switch (file.kind) {
      case "gone":
      // Whoever writes to it causes the next event; an event that was lost is made up for by the next look.
      case "changing":
        return;
      case "unreadable":
        await this.#bury(path, entry, name, undefined, { reason: file.reason });
        return;
      case "unparsed":
        if (this.#unchanged(entry, file.stamp))
          await this.#bury(path, entry, name, file.stamp, { reason: file.reason });
        return;
      case "intent":
        await this.#route(path, entry, name, file);
    }
  }

  /** Whether a file that is not JSON has stood still long enough; if not, it is looked at again when it may have. */
  #unchanged(entry: string, stamp: FileVersion): boolean {
    const before = this.#settling.get(entry);
    if (before?.stamp === stamp) {
      if (before.elapsed) this.#settled(entry);
      return before.elapsed;
    }
    this.#settled(entry);
    if (!this.#running) return false;
    const timer = setTimeout(() => {
      settling.elapsed = true;
      this.#offer(entry);
    }, this.#options.settleMs ?? 1_000);
    const settling = { stamp, timer, elapsed: false };
    this.#settling.set(entry, settling);
    return false;
  }

  #settled(entry: string): void {
    clearTimeout(this.#settling.get(entry)?.timer);
    this.#settling.delete(entry);
  }

  async #route(
    path: string,
    entry: string,
    name: string,
    file: Extract<IntentFile, { kind: "intent" }>,
  ): Promise<void> {
    const { spool, hostId, now } = this.#options;
    const mapped = mapIntent(file.value, this.#map);
    if (!mapped.ok) {
      const { reason, errors, intentType } = mapped;
      const dead = { reason, ...(errors && { errors }), ...(intentType !== undefined && { intent_type: intentType }) };
      await this.#bury(path, entry, name, file.stamp, dead);
      return;
    }
    const taken = takeIn({ signal: mapped.signal, source: `intent-router/${hostId}`, facts: mapped.facts }, now());
    if (!taken.ok) {
      const dead = { reason: "the intent does not make a valid signal", errors: taken.errors };
      await this.#bury(path, entry, name, file.stamp, dead);
      return;
    }
    const outcome = await spool.put("local", [taken.signal], { taken: file.identity });
    if (!outcome.already) {
      this.#routed++;
      const id = `${spool.producer("local")}.${outcome.first}`;
      this.#options.log.debug({ file: name, signal: mapped.signal, signal_id: id }, "intents: a file was routed");
    }
    const aside = await this.#setAside(path, entry, name, file.stamp);
    if (aside === undefined) return;
    // What fails here is tried again at the next look.
    await unlink(aside)
      .catch(ignoreMissing)
      .finally(() => this.#asides.delete(basename(aside)));
    // It cannot be seen again, and need not be told from another any more.
    await spool.forgetTaken(file.identity);
  }

  /**
   * Moves a file whose fate is settled to where nobody replaces it: another intent may have taken its place since it
   * was read, by a rename over it, and must not be removed for it.
   *
   * @returns where it is now; `undefined` when it was gone, or was another one, which is then routed from there
   */
  async #setAside(
    path: string,
    entry: string,
    name: string,
    stamp: FileVersion | undefined,
  ): Promise<string | undefined> {
    if (entry !== name) return path;
    const asideEntry = `.${name}.${randomBytes(6).toString("hex")}.aside`;
    const aside = join(this.#options.directory, asideEntry);
    this.#asides.add(asideEntry);
    await rename(path, aside).catch(ignoreMissing);
    const moved = await lstat(aside, { bigint: true }).catch(ignoreMissing);
    if (moved !== undefined && (stamp === undefined || fileVersionOf(moved) === stamp)) return aside;
    this.#asides.delete(asideEntry);
    if (moved !== undefined) this.#offer(asideEntry);
    return undefined;
  }

  async #bury(
    path: string,
    entry: string,
    name: string,
    stamp: FileVersion | undefined,
    dead: DeadFile,
  ): Promise<void> {
    const { now, log } = this.#options;
    const aside = await this.#setAside(path, entry, name, stamp);
    if (aside === undefined) return;
    const moved = await this.#tell(aside, name, dead)
      .then((letter) => moveToDeadLetters(aside, name, this.#folder, { ...dead, letter }, now()))
      .finally(() => this.#asides.delete(basename(aside)));
    if (moved === undefined) return;
    this.#dead++;
    log.warn({ file: name, dead_letter: join(this.#folder, moved) }, `intents: ${dead.reason.slice(0, 300)}`);
  }

  /**
   * Tells the edge before the file is moved: after a crash in between it is found again and told of under the same id.
   * The same content has the same id, whatever its file is called: that is one failure, counted.
   *
   * @returns the letter's id
   */
  async #tell(path: string, name: string, { reason, errors, ...more }: DeadFile): Promise<string> {
    const { hostId, letters } = this.#options;
    const text = await beginningOf(path);
    const id = `${hostId}.intent.${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
    const details = errors?.map(({ pointer, message }) => `${pointer}: ${message}`).join("; ");
    await letters.put({
      ...{ id, kind: "intent", intent: { file: name, text, ...more }, daemon: `agent/intents/${hostId}` },
      error: details === undefined || details === "" ? reason : `${reason}: ${details}`,
    });
    return id;
  }
}

/** As much of a file as goes into its letter; nothing of one that cannot be read: that is why it is given up. */
async function beginningOf(path: string): Promise<string> {
  try {
    // Without waiting: a pipe in the place of a file would never end.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      if (!(await file.stat()).isFile()) return "";
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LETTER_BYTES), 0, LETTER_BYTES, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}
