import { ExpiringMap } from "../../src/core/collections/expiring-map.ts";
import type { FileVersion } from "../base/files/read-dropped-file.ts";

/** What one file came to. */
interface Observed {
  readonly version: FileVersion | undefined;
  /** Under which the spool knows a routed file; `undefined`: the file was not routed. */
  readonly identity: string | undefined;
}

interface RoutedFile {
  readonly file: string;
  readonly signal: string;
  /** Whether the other router has sent the same signal over the bus. */
  twice: boolean;
}

export interface ObservedReport {
  readonly mode: "observe";
  readonly routed: number;
  /** Files that would have become dead letters. */
  readonly unroutable: number;
  /** Files that the other router took away before they were read. */
  readonly missed: number;
  /** Signals that came from both routers: each is in the log twice. */
  readonly done_twice: number;
  /** Signals of the bus for which no file was read. */
  readonly only_by_the_other: number;
  readonly last: readonly RoutedFile[];
}

/** How long a file and a signal of the bus are compared, and how many. */
const COMPARED_MS = 3_600_000;
const MAX_COMPARED = 10_000;
const SHOWN = 20;

/**
 * Shadow mode: the files belong to another router, which takes them away. Each is routed once, and left where it is. What
 * both routers did is recognised by the question that the signals of both name.
 */
export class ObservedFiles {
  readonly #files = new Map<string, Observed>();
  readonly #ours = new ExpiringMap<RoutedFile>(MAX_COMPARED, COMPARED_MS);
  readonly #theirs = new ExpiringMap<true>(MAX_COMPARED, COMPARED_MS);
  readonly #now: () => number;
  readonly #counts = { routed: 0, unroutable: 0, missed: 0, done_twice: 0, only_by_the_other: 0 };
  #last: RoutedFile[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  get report(): ObservedReport {
    return { mode: "observe", ...this.#counts, last: this.#last };
  }

  isKnown(entry: string, version: FileVersion | undefined): boolean {
    const known = this.#files.get(entry);
    return known !== undefined && known.version === version;
  }

  /** @param already - whether the file was routed before the agent's last start */
  routed(
    entry: string,
    { version, identity, already }: Required<Observed> & { readonly already: boolean },
    signal: string,
    facts: Readonly<Record<string, unknown>>,
  ): void {
    this.#files.set(entry, { version, identity });
    if (already) return;
    this.#counts.routed++;
    const file: RoutedFile = { file: entry, signal, twice: false };
    const keys = keysOf(signal, facts);
    for (const key of keys) this.#ours.set(key, file, this.#now());
    if (keys.some((key) => this.#theirs.has(key, this.#now()))) {
      this.#counts.only_by_the_other--;
      this.#isTwice(file);
    }
    this.#last = [...this.#last, file].slice(-SHOWN);
  }

  unroutable(entry: string, version: FileVersion | undefined): void {
    this.#files.set(entry, { version, identity: undefined });
    this.#counts.unroutable++;
  }

  /** @param forget - called with the identity that the spool need not remember any more */
  async gone(entry: string, forget: (identity: string) => Promise<void>): Promise<void> {
    const known = this.#files.get(entry);
    if (known === undefined) this.#counts.missed++;
    this.#files.delete(entry);
    if (known?.identity !== undefined) await forget(known.identity);
  }

  /** A signal of the host's bus, which the other router may have sent. */
  heard(signal: string, facts: Readonly<Record<string, unknown>>): void {
    const keys = keysOf(signal, facts);
    if (keys.length === 0 || keys.some((key) => this.#theirs.has(key, this.#now()))) return;
    for (const key of keys) this.#theirs.set(key, true, this.#now());
    const ours = keys.map((key) => this.#ours.get(key, this.#now())).find((file) => file !== undefined);
    if (ours === undefined) this.#counts.only_by_the_other++;
    else this.#isTwice(ours);
  }

  #isTwice(file: RoutedFile): void {
    if (file.twice) return;
    file.twice = true;
    this.#counts.done_twice++;
  }
}

/** A question is the same by its id, or by its text: routers make ids of their own. */
function keysOf(signal: string, { question_id, question }: Readonly<Record<string, unknown>>): string[] {
  return [
    ...(typeof question_id === "string" ? [`${signal} id ${question_id}`] : []),
    ...(typeof question === "string" ? [`${signal} text ${question}`] : []),
  ];
}
