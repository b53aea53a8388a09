import { newEpoch } from "./epoch.ts";
import type { Notes } from "./notes.ts";
import type { EmittedNumbers } from "./outbox.ts";

type NumberNote = "epoch" | "emitted";

/**
 * Numbers of emitted signals in an object that notes them: the last number once a transaction, whatever was emitted in
 * it, because each write is a row. The epoch is noted with the first number: an object that emits nothing costs no row.
 */
export class NotedNumbers implements EmittedNumbers {
  readonly #notes: Notes<NumberNote>;
  readonly #producerOf: (epoch: string) => string;
  #epoch: string;
  #epochStored: boolean;
  #last: number;
  #stored: number;

  /** @param producerOf - name of the producer, of which the epoch is a part */
  constructor(notes: Notes<NumberNote>, producerOf: (epoch: string) => string) {
    this.#notes = notes;
    this.#producerOf = producerOf;
    const epoch = notes.read("epoch");
    this.#epoch = epoch ?? newEpoch();
    this.#epochStored = epoch !== undefined;
    this.#last = Number(notes.read("emitted") ?? "0");
    this.#stored = this.#last;
  }

  get epoch(): string {
    return this.#epoch;
  }

  get producer(): string {
    return this.#producerOf(this.#epoch);
  }

  next(): number {
    return ++this.#last;
  }

  /** In the transaction, after everything was emitted. */
  write(): void {
    if (this.#last === this.#stored) return;
    this.#notes.write("emitted", String(this.#last));
    this.#stored = this.#last;
    this.writeEpoch();
  }

  /** In the transaction that stores something that holds the epoch (ids of tasks). */
  writeEpoch(): void {
    if (this.#epochStored) return;
    this.#notes.write("epoch", this.#epoch);
    this.#epochStored = true;
  }

  /** The transaction failed: takes the disk's word. */
  reload(): void {
    const epoch = this.#notes.read("epoch");
    this.#epochStored = epoch !== undefined;
    this.#epoch = epoch ?? this.#epoch;
    this.#last = Number(this.#notes.read("emitted") ?? "0");
    this.#stored = this.#last;
  }
}
