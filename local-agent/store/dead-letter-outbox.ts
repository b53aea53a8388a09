import type { DeadLetterRecord } from "../../src/core/dead-letters/record.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { StateDatabase, Write } from "./state-database.ts";

/** Letters that may wait for the edge. They lie in files on this host too: beyond this the edge does not hear of the oldest. */
const MAX_WAITING = 10_000;
/** Of one frame: the edge takes 1 MiB. */
const FRAME_LETTERS = 50;
const FRAME_CHARS = 400_000;
/** Of one letter; what it holds is cut off beyond, and said to be. */
const LETTER_CHARS = 60_000;

/**
 * Dead letters of this host on their way to the edge, where people see those of all hosts in one list. On the disk
 * before the sender goes on; given up when the edge has them. Handed over twice they are recognised by their ids.
 */
export class DeadLetterOutbox {
  readonly #db: StateDatabase;
  readonly #hostId: string;
  readonly #log: Logger;
  readonly #listeners = new Listeners();
  #count: number;

  constructor(db: StateDatabase, { hostId, log }: { readonly hostId: string; readonly log: Logger }) {
    this.#db = db;
    this.#hostId = hostId;
    this.#log = log;
    db.sql.exec("CREATE TABLE IF NOT EXISTS letters (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL)");
    this.#count = (db.sql.prepare("SELECT COUNT(*) AS count FROM letters").get() as { count: number }).count;
  }

  get waiting(): number {
    return this.#count;
  }

  /**
   * Resolves when the letter is on the disk.
   *
   * @param letter - its id begins with this host's id and a full stop
   */
  put(letter: Omit<DeadLetterRecord, "host">): Promise<void> {
    return this.#db.commit(1, this.write(letter));
  }

  /** The same, as a piece of a transaction of somebody else's: it is told if, and only if, that took place. */
  write(letter: Omit<DeadLetterRecord, "host">): Write<void> {
    const body = JSON.stringify({ ...letter, host: this.#hostId });
    const kept = body.length <= LETTER_CHARS ? body : this.#cut(letter);
    return () => {
      this.#db.sql.prepare("INSERT INTO letters (body) VALUES (?)").run(kept);
      const drop = this.#count >= MAX_WAITING;
      if (drop) this.#db.sql.exec("DELETE FROM letters WHERE number = (SELECT MIN(number) FROM letters)");
      return () => {
        if (drop) this.#log.warn("dead letters: too many wait for the edge; it does not hear of the oldest");
        else this.#count++;
        this.#listeners.notify();
      };
    };
  }

  /** The oldest that wait, as a frame's list; `undefined` when none do. */
  next(): { readonly through: number; readonly letters: readonly string[] } | undefined {
    const rows = this.#db.sql
      .prepare("SELECT number, body FROM letters ORDER BY number LIMIT ?")
      .all(FRAME_LETTERS) as { number: number; body: string }[];
    let chars = 0;
    const fitting = rows.filter(({ body }, place) => {
      chars += body.length;
      return place === 0 || chars <= FRAME_CHARS;
    });
    const last = fitting.at(-1);
    return last === undefined ? undefined : { through: last.number, letters: fitting.map(({ body }) => body) };
  }

  /** The edge has them. */
  async forget(through: number): Promise<void> {
    await this.#db.commit(FRAME_LETTERS, () => {
      const { changes } = this.#db.sql.prepare("DELETE FROM letters WHERE number <= ?").run(through);
      return () => {
        this.#count -= Number(changes);
      };
    });
  }

  /** Calls `listener` when a letter was put. @returns a function that ends it */
  onPut(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  #cut({ id, kind, error, daemon }: Omit<DeadLetterRecord, "host">): string {
    const why = "what it held is too large to be sent; it lies on its host";
    return JSON.stringify({ id, kind, [kind]: { cut: why }, error: error.slice(0, 4_000), daemon, host: this.#hostId });
  }
}
