import type { PlacementVariables } from "../../core/deployment/placement.ts";
import { logLine } from "./log-line.ts";
import type { Notes } from "./notes.ts";
import { RETRY_MS } from "./outbox-relay.ts";
import { type Namespace, objectNamed } from "./ports.ts";
import type { Schema } from "./schema.ts";

interface DirectoryMarkOptions<Mark extends string> {
  readonly env: PlacementVariables & {
    readonly DIRECTORY: Namespace<{ mark(mark: Mark, ecosystem: string, marked: boolean): Promise<void> }>;
  };
  readonly ecosystem: string;
  readonly notes: Notes<"listed">;
  readonly mark: Mark;
  /** Of the object, for the log. */
  readonly name: string;
  readonly wakeBy: (atMs: number) => void;
}

/**
 * Lets the directory know whether an object has anything: nobody asks an ecosystem that has none. What the directory was told
 * last is noted, so that it is told once.
 */
export class DirectoryMark<Mark extends string> {
  readonly #options: DirectoryMarkOptions<Mark>;

  constructor(options: DirectoryMarkOptions<Mark>) {
    this.#options = options;
  }

  /** Whether the directory was told that there is something. */
  get isSet(): boolean {
    return this.#options.notes.read("listed") === "1";
  }

  /** Never throws: where it fails, the next alarm is to call this again. @param before - what else the directory must know */
  async update(any: boolean, before?: () => Promise<void>): Promise<void> {
    const { env, ecosystem, notes, mark, name, wakeBy } = this.#options;
    if (any === this.isSet) return;
    try {
      await before?.();
      await objectNamed(env.DIRECTORY, "directory", env).mark(mark, ecosystem, any);
      notes.write("listed", any ? "1" : "0");
    } catch (error) {
      logLine("warn", `${name}-not-listed`, { ecosystem, object: name, error });
      wakeBy(Date.now() + RETRY_MS);
    }
  }
}

/** Of the copy of such an object: the directory of another deployment knows nothing yet. */
export const unlisted: NonNullable<NonNullable<Schema["copy"]>["without"]> = (table, row) =>
  table === "notes" && row.name === "listed" ? { ...row, value: "0" } : undefined;
