import { type Entry, heapBytesOf } from "./entry.ts";

/** The tasks that are in memory whole, by id and by place, and what they take there. */
export class ResidentTasks {
  readonly #byId = new Map<string, Entry>();
  readonly #bySeq = new Map<number, Entry>();
  #bytes = 0;

  get size(): number {
    return this.#byId.size;
  }

  /** What all of them take in memory, about, without payloads. */
  get heapBytes(): number {
    return this.#bytes;
  }

  named(taskId: string): Entry | undefined {
    return this.#byId.get(taskId);
  }

  at(seq: number): Entry | undefined {
    return this.#bySeq.get(seq);
  }

  [Symbol.iterator](): Iterator<Entry> {
    return this.#bySeq.values();
  }

  add(entry: Entry): void {
    this.#byId.set(entry.taskId, entry);
    this.#bySeq.set(entry.seq, entry);
    this.weigh(entry);
  }

  delete(entry: Entry): void {
    this.#byId.delete(entry.taskId);
    this.#bySeq.delete(entry.seq);
    this.#bytes -= entry.heapBytes;
    entry.heapBytes = 0;
  }

  /** To be called where what the entry takes has changed. */
  weigh(entry: Entry): void {
    const bytes = heapBytesOf(entry);
    this.#bytes += bytes - entry.heapBytes;
    entry.heapBytes = bytes;
  }
}
