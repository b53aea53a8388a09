import type { DeadLetter } from "./dead-letter.ts";

/** What a task holds, and who may end it: for those who may read tasks. */
const CONTENTS: readonly string[] = ["payload", "result", "lease_id"];

/** A dead letter for somebody who may not read tasks: of a task it shows all but what the task holds. */
export function withoutTaskContents(deadLetter: DeadLetter): DeadLetter {
  const { task } = deadLetter;
  if (typeof task !== "object" || task === null) return deadLetter;
  const shown = Object.entries(task).filter(([field]) => !CONTENTS.includes(field));
  return { ...deadLetter, task: Object.fromEntries(shown) };
}
