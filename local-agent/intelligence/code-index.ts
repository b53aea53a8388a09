import type { BigIntStats } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { languageOfPath } from "../../src/core/intelligence/file-facts.ts";
import { patternOf } from "../../src/core/intelligence/pattern-of.ts";
import { type CodeRoot, openRoot, rootAround } from "./code-roots.ts";
import type { IndexStore } from "./index-store.ts";
import type { IndexedFile } from "./indexed-file.ts";
import { parseFile, Unparsable } from "./parsing/parse-file.ts";
import { NotCode, readCodeFile, stampOf, statusOf } from "./read-code-file.ts";
import { TreeWatch } from "./tree-watch.ts";
import { isCodeName, type WalkOptions, walkWithStatus } from "./walk.ts";

export interface CodeIndexOptions {
  readonly roots: readonly string[];
  readonly languages: WalkOptions["languages"];
  readonly ignored: WalkOptions["ignored"];
  /** Most files; those beyond are counted and not read. */
  readonly maxFiles: number;
  readonly store: IndexStore;
  readonly warn: (message: string) => void;
  /** Called after the index has changed. */
  readonly onChange: () => void;
}

/** Events of one burst are looked at together. */
const SETTLE_MS = 50;
const ROOT_CHECK_MS = 5_000;
const RESCAN_MS = 300_000;
const REMEMBERED_ERROR = 300;

/**
 * What is below the code roots, kept up to date by inotify. Parses one file a turn, so that questions are answered in
 * between. A tree is read again from time to time, because the kernel's queue of events overflows silently.
 */
export class CodeIndex {
  readonly #options: CodeIndexOptions;
  readonly #files = new Map<string, IndexedFile>();
  readonly #roots = new Map<string, CodeRoot>();
  readonly #watch: TreeWatch;
  /** Paths that may have changed, and directories to be read. */
  readonly #changed = new Set<string>();
  readonly #stale = new Set<string>();
  #left = 0;
  #working: Promise<void> | undefined;
  #timers: NodeJS.Timeout[] = [];
  #settle: NodeJS.Timeout | undefined;
  #closed = false;
  /**
   * Whether questions can be answered: from what was stored, or after the roots were read once. An answer before that would
   * say that there is nothing.
   */
  ready = false;
  /** Grows with each change. */
  generation = 0;

  constructor(options: CodeIndexOptions) {
    this.#options = options;
    this.#watch = new TreeWatch({
      onChange: (path) => this.#note(this.#changed, path),
      onLost: (directory) => this.#note(this.#stale, directory),
      onExhausted: ({ message }) =>
        options.warn(`some directories cannot be watched (${message}); they are read again every five minutes`),
    });
  }

  get files(): IterableIterator<IndexedFile> {
    return this.#files.values();
  }

  get size(): number {
    return this.#files.size;
  }

  /** Files that are not in the index because it is full. */
  get leftOut(): number {
    return this.#left;
  }

  get roots(): readonly CodeRoot[] {
    return [...this.#roots.values()];
  }

  /** The roots of the settings; one that is not there, or not read yet, as it is named. */
  get namedRoots(): readonly Pick<CodeRoot, "path" | "real">[] {
    return this.#options.roots.map((path) => this.#roots.get(path) ?? { path, real: path });
  }

  /** Whether nothing is left to be read. */
  get settled(): boolean {
    return this.#working === undefined && this.#changed.size === 0 && this.#stale.size === 0;
  }

  /** Loads what was known, and begins to read the roots in the background. */
  start(): void {
    const { store, roots } = this.#options;
    const wanted = new Set(roots);
    for (const row of store.all()) {
      if (wanted.has(row.root)) this.#files.set(keyOf(row.root, row.path), row);
      else store.delete(row.root, row.path);
    }
    this.#giveUpOn(store.parsing);
    this.ready = this.#files.size > 0;
    for (const root of roots) this.#note(this.#stale, root);
    this.#timers = [
      setInterval(() => void this.#checkRoots(), ROOT_CHECK_MS),
      setInterval(() => this.rescan(), RESCAN_MS),
    ];
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#settle);
    this.#watch.close();
    await this.#working;
  }

  rescan(): void {
    for (const root of this.#options.roots) this.#note(this.#stale, root);
  }

  #note(set: Set<string>, path: string): void {
    if (this.#closed) return;
    set.add(path);
    if (this.#working === undefined) this.#settle ??= setTimeout(() => this.#work(), SETTLE_MS);
  }

  #work(): void {
    this.#settle = undefined;
    this.#working ??= this.#workOff()
      .catch((error: unknown) => this.#options.warn(`the code roots cannot be read: ${String(error)}`))
      .finally(() => {
        this.#working = undefined;
        if (this.settled && !this.ready) {
          this.ready = true;
          this.#options.onChange();
        }
        if (!this.settled && !this.#closed) this.#settle ??= setTimeout(() => this.#work(), SETTLE_MS);
      });
  }

  async #workOff(): Promise<void> {
    while (!this.#closed && (this.#stale.size > 0 || this.#changed.size > 0)) {
      const [directory] = this.#stale;
      if (directory !== undefined) {
        this.#stale.delete(directory);
        await this.#readTree(directory);
        continue;
      }
      const [path = ""] = this.#changed;
      this.#changed.delete(path);
      await this.#look(path);
    }
  }

  /** Reads a directory and all below it; files that are not there any more leave the index. */
  async #readTree(directory: string): Promise<void> {
    if (this.#options.roots.includes(directory)) await this.#openRoot(directory);
    const root = this.#rootOf(directory);
    if (root === undefined) return;
    // The directory may be another one than that which was watched under this name.
    const from = directory === root.path ? root.real : directory;
    this.#watch.removeBelow(from);
    const seen = new Set<string>();
    const onDirectory = (path: string) => this.#watch.add(path);
    for await (const files of walkWithStatus(from, { ...this.#options, onDirectory })) {
      for (const [path, status] of files) {
        if (this.#closed) return;
        seen.add(keyOf(root.path, below(root, path)));
        await this.#lookAt(root, path, status);
      }
    }
    const prefix = from === root.real ? "" : `${below(root, from)}/`;
    for (const [key, file] of this.#files)
      if (file.root === root.path && file.path.startsWith(prefix) && !seen.has(key)) this.#forget(file);
  }

  async #openRoot(path: string): Promise<void> {
    const opened = await openRoot(path);
    const before = this.#roots.get(path);
    if (before !== undefined && before.identity !== opened?.identity) this.#watch.removeBelow(before.real);
    if (opened !== undefined) {
      this.#roots.set(path, opened);
      return;
    }
    this.#roots.delete(path);
    if (before !== undefined) this.#options.warn(`the code root ${path} is not there any more`);
    for (const file of this.#files.values()) if (file.root === path) this.#forget(file);
  }

  async #checkRoots(): Promise<void> {
    for (const path of this.#options.roots) {
      const opened = await openRoot(path);
      if (opened?.identity !== this.#roots.get(path)?.identity) this.#note(this.#stale, path);
    }
  }

  /** Looks at one path that may have changed. */
  async #look(path: string): Promise<void> {
    const root = this.#rootOf(path);
    if (root !== undefined) await this.#lookAt(root, path, await statusOf(path));
  }

  /** @param status - of the path, a moment ago; what is stored is that of the file that was read */
  async #lookAt(root: CodeRoot, path: string, status: BigIntStats | undefined): Promise<void> {
    const at = below(root, path);
    if (status?.isDirectory() === true) {
      if (!at.split("/").some((name) => this.#options.ignored.has(name))) this.#stale.add(path);
      return;
    }
    if (status === undefined) return this.#forgetBelow(root, at);
    const known = this.#files.get(keyOf(root.path, at));
    if (!status.isFile() || !isCodeName(at, this.#options)) {
      if (known !== undefined) this.#forget(known);
      return;
    }
    if (known?.stamp === stampOf(status)) return;
    if (known === undefined && this.#files.size >= this.#options.maxFiles) {
      if (this.#left === 0)
        this.#options.warn(
          `the index is full with ${this.#options.maxFiles} files; raise intelligence.max_files or name fewer roots`,
        );
      this.#left += 1;
      return;
    }
    await this.#parse(root, path, at, stampOf(status));
    await turn();
  }

  async #parse(root: CodeRoot, path: string, at: string, seenStamp: string): Promise<void> {
    const { store } = this.#options;
    const language = languageOfPath(at);
    if (language === undefined) return;
    try {
      const { text, stamp, modifiedMs } = await readCodeFile(root.real, path);
      store.setParsing(keyOf(root.path, at));
      const pattern = patternOf(parseFile(text, language, at), at, text, modifiedMs);
      this.#set(
        { root: root.path, path: at, stamp, confidence: pattern.confidence, error: null },
        JSON.stringify(pattern),
      );
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return this.#forgetBelow(root, at);
      if (!(error instanceof Unparsable) && !(error instanceof NotCode) && code === undefined) throw error;
      const failed = { root: root.path, path: at, stamp: seenStamp, confidence: null };
      this.#set({ ...failed, error: message.slice(0, REMEMBERED_ERROR) }, null);
    } finally {
      store.setParsing(undefined);
    }
  }

  #set(file: IndexedFile, pattern: string | null): void {
    this.#options.store.put(file, pattern);
    this.#files.set(keyOf(file.root, file.path), file);
    this.#notify();
  }

  #forget(file: IndexedFile): void {
    this.#options.store.delete(file.root, file.path);
    this.#files.delete(keyOf(file.root, file.path));
    this.#notify();
  }

  #forgetBelow(root: CodeRoot, at: string): void {
    this.#watch.removeBelow(`${root.real}/${at}`);
    const own = this.#files.get(keyOf(root.path, at));
    if (own !== undefined) return this.#forget(own);
    for (const file of this.#files.values())
      if (file.root === root.path && file.path.startsWith(`${at}/`)) this.#forget(file);
  }

  /** The thread died while it parsed this file: the file is not tried again until it changes. */
  #giveUpOn(key: string | undefined): void {
    if (key === undefined) return;
    const [root = "", path = ""] = key.split("\0");
    this.#options.warn(`${path} ended the parser; it is left out until it changes`);
    void this.#blame(root, path);
  }

  async #blame(root: string, path: string): Promise<void> {
    const status = await statusOf(`${root}/${path}`);
    if (status !== undefined)
      this.#set({ root, path, stamp: stampOf(status), confidence: null, error: "it ended the parser" }, null);
    this.#options.store.setParsing(undefined);
  }

  #notify(): void {
    this.generation += 1;
    this.#options.onChange();
  }

  /** The root that a real path lies in, or that a path of the settings names. */
  #rootOf(path: string): CodeRoot | undefined {
    return this.#roots.get(path) ?? rootAround(path, this.roots);
  }
}

const keyOf = (root: string, path: string): string => `${root}\0${path}`;
const below = ({ real }: CodeRoot, path: string): string => path.slice(real.length + 1);
