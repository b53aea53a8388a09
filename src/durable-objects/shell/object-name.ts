import { logLine } from "./log-line.ts";
import { Notes, notedName } from "./notes.ts";

/**
 * The name of an object. The runtime gives an object its name when a caller finds the object by the name, and may not do
 * so when an alarm or a message on a hibernated socket wakes the object. So the object stores its name before it sets its
 * first alarm or accepts its first socket: one row in its life, and none in an object that only its callers wake.
 *
 * Table: `notes`, see {@link Notes}.
 */
export class ObjectName {
  readonly value: string;
  readonly #sql: SqlStorage;
  /** `undefined`: the name is a guess, and is never stored. */
  readonly #known: string | undefined;
  #stored = false;

  constructor(id: DurableObjectId, sql: SqlStorage) {
    this.#sql = sql;
    this.#known = id.name ?? notedName(sql);
    this.value = this.#known ?? "default";
    // Possible only in an object in which an earlier version set an alarm.
    if (this.#known === undefined) logLine("warn", "object-without-name", { id });
  }

  /** Stores the name, where it is not stored. In the turn that sets an alarm, it reaches the disk with the alarm. */
  store(): void {
    if (this.#stored || this.#known === undefined) return;
    this.#stored = true;
    const notes = new Notes<"name">(this.#sql);
    if (notes.read("name") === undefined) notes.write("name", this.#known);
  }

  /** A transaction failed, and may have taken the stored name back. */
  rolledBack(): void {
    this.#stored = false;
  }
}
