import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What was done in the shared tree, a line each. Both languages write the same. */
export interface Entry {
  readonly event: "begin" | "end" | "overlap" | "refused";
  readonly owner: string;
  readonly task: string;
  readonly fence: number;
}

const journalOf = (tree: string) => join(tree, "journal.jsonl");
const note = (tree: string, entry: Entry) => appendFileSync(journalOf(tree), `${JSON.stringify(entry)}\n`);

/** Where in the tree a writer is at work: there is one at most, or the lock has failed. */
const busyIn = (tree: string) => join(tree, "busy");

export function readJournal(tree: string): Entry[] {
  if (!existsSync(journalOf(tree))) return [];
  const lines = readFileSync(journalOf(tree), "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Entry);
}

export const readIndex = (tree: string): string[] =>
  existsSync(join(tree, "INDEX.md")) ? readFileSync(join(tree, "INDEX.md"), "utf8").split("\n").filter(Boolean) : [];

/**
 * Adds a line to the index, which two writers at a time would lose: it is read, and written anew after a while. The tree refuses
 * a fence that is lower than the last one, so a writer that does not know yet that its lock has ended changes nothing.
 */
export async function addToIndex(tree: string, line: string, by: Omit<Entry, "event">): Promise<void> {
  mkdirSync(tree, { recursive: true });
  const last = Math.max(0, ...readJournal(tree).map(({ fence }) => fence));
  if (by.fence < last) {
    note(tree, { event: "refused", ...by });
    throw new Error(`the fence ${by.fence} is older than ${last}`);
  }
  try {
    writeFileSync(busyIn(tree), by.owner, { flag: "wx" });
  } catch (error) {
    note(tree, { event: "overlap", ...by });
    throw error;
  }
  note(tree, { event: "begin", ...by });
  const before = readIndex(tree);
  await new Promise((resolve) => setTimeout(resolve, 40));
  writeFileSync(join(tree, "INDEX.md"), [...before, line, ""].join("\n"));
  note(tree, { event: "end", ...by });
  rmSync(busyIn(tree));
}
