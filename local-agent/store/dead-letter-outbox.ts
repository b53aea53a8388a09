import type { DeadLetterRecord } from "../../src/core/dead-letters/dead-letter.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import { numberIn, textIn } from "./row.ts";
import type { StateDatabase, Write } from "./state-database.ts";

/** Dead letters that may wait for the edge. Beyond this the oldest are dropped here; they stay in files of this host. */
const MAX_WAITING = 10_000;
/** Limits of one frame: the edge takes 1 MiB. */
const FRAME_DEAD_LETTERS = 50;
const FRAME_BYTES = 400_000;
/** Limit of one dead letter. The content of a longer one is replaced by a note. */
const DEAD_LETTER_CHARS = 60_000;

/**
 * Dead letters of this host on their way to the edge, which shows those of all hosts in one list. They are on the disk
 * before `put` resolves, and deleted when the edge has them. The edge recognises a dead letter that arrives twice by its
 * id.
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
    this.#count = numberIn(db.sql.prepare("SELECT COUNT(*) AS count FROM letters").get() ?? {}, "count");
  }

  get waiting(): number {
    return this.#count;
  }

  /**
   * Resolves when the dead letter is on the disk.
   *
   * @param deadLetter - its id begins with this host's id and a full stop
   */
  put(deadLetter: Omit<DeadLetterRecord, "host">): Promise<void> {
    return this.#db.commit(1, this.write(deadLetter));
  }

  /** The same, as part of a larger transaction: the dead letter is sent if, and only if, the transaction is committed. */
  write(deadLetter: Omit<DeadLetterRecord, "host">): Write<void> {
    const body = JSON.stringify({ ...deadLetter, host: this.#hostId });
    const kept = body.length <= DEAD_LETTER_CHARS ? body : this.#cut(deadLetter);
    return () => {
      this.#db.sql.prepare("INSERT INTO letters (body) VALUES (?)").run(kept);
      const drop = this.#count >= MAX_WAITING;
      if (drop) this.#db.sql.exec("DELETE FROM letters WHERE number = (SELECT MIN(number) FROM letters)");
      return () => {
        if (drop)
          this.#log.warn(
            "dead letters: too many wait for the edge; the oldest was dropped and is in a file of this host only",
          );
        else this.#count++;
        this.#listeners.notify();
      };
    };
  }

  /**
   * The oldest waiting dead letters, as JSON, for one frame; `undefined` when none wait.
   *
   * @param most - how many, 50 at most
   */
  next(most = FRAME_DEAD_LETTERS): { readonly through: number; readonly deadLetters: readonly string[] } | undefined {
    const rows = this.#db.sql
      .prepare("SELECT number, body FROM letters ORDER BY number LIMIT ?")
      .all(Math.min(most, FRAME_DEAD_LETTERS))
      .map((row) => ({ number: numberIn(row, "number"), body: textIn(row, "body") }));
    let bytes = 0;
    const fitting = rows.filter(({ body }, place) => {
      bytes += Buffer.byteLength(body);
      return place === 0 || bytes <= FRAME_BYTES;
    });
    const last = fitting.at(-1);
    return last === undefined ? undefined : { through: last.number, deadLetters: fitting.map(({ body }) => body) };
  }

  /** Deletes the dead letters up to this number, which the edge has stored. */
  async forget(through: number): Promise<void> {
    await this.#db.commit(
      FRAME_DEAD_LETTERS,
      () => {
        const { changes } = this.#db.sql.prepare("DELETE FROM letters WHERE number <= ?").run(through);
        return () => {
          this.#count -= Number(changes);
        };
      },
      { frees: true },
    );
  }

  /** Calls `listener` when a dead letter was added. @returns a function that removes the listener */
  onPut(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  #cut({ id, kind, error, daemon }: Omit<DeadLetterRecord, "host">): string {
    const why = "too large to be sent; its content is on its host";
    return JSON.stringify({ id, kind, [kind]: { cut: why }, error: error.slice(0, 4_000), daemon, host: this.#hostId });
  }
}
