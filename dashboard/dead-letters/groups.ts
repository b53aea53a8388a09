import type { DeadLetter } from "../../src/core/dead-letters/dead-letter.ts";

/** Dead letters that failed alike. */
export interface DeadLetterGroup {
  readonly key: string;
  readonly error: string;
  readonly kind: DeadLetter["kind"];
  readonly daemon: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly members: readonly DeadLetter[];
}

/** Groups dead letters by what failed and why: errors that differ only in numbers and ids are one. Largest groups first. */
export function groupsOf(letters: readonly DeadLetter[]): DeadLetterGroup[] {
  const groups = new Map<string, DeadLetter[]>();
  for (const letter of letters) {
    const key = `${letter.kind} ${letter.daemon} ${shapeOf(letter.error)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [letter]);
    else group.push(letter);
  }
  return [...groups]
    .flatMap(([key, members]) => groupOf(key, members) ?? [])
    .sort((a, b) => b.count - a.count || (a.lastAt < b.lastAt ? 1 : -1));
}

function groupOf(key: string, members: readonly DeadLetter[]): DeadLetterGroup | undefined {
  const [first] = members;
  if (first === undefined) return undefined;
  const { error, kind, daemon } = first;
  let [firstAt, lastAt] = [first.first_failed_at, first.last_failed_at];
  for (const member of members) {
    if (member.first_failed_at < firstAt) firstAt = member.first_failed_at;
    if (member.last_failed_at > lastAt) lastAt = member.last_failed_at;
  }
  return { key, error, kind, daemon, count: members.length, firstAt, lastAt, members };
}

/** An error without what differs from one failure to the next: ids, numbers, quoted values. */
export function shapeOf(error: string): string {
  return error
    .toLowerCase()
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, "…")
    .replace(/\b[0-9a-f]{8,}(-[0-9a-f]+)*\b/g, "…")
    .replace(/\d+(\.\d+)?/g, "#");
}

/** The longest part of an error that stands in all errors of its group: the text by which a filter selects the group. */
export function sharedText(group: Pick<DeadLetterGroup, "members">): string {
  const [first = "", ...others] = group.members.map(({ error }) => error);
  const parts = first.split(/"[^"]*"|'[^']*'|`[^`]*`|\b[0-9a-f]{8,}(?:-[0-9a-f]+)*\b|\d+(?:\.\d+)?/i);
  const longest = parts.map((part) => part.trim()).sort((a, b) => b.length - a.length);
  return longest.find((part) => others.every((error) => error.includes(part))) ?? "";
}
