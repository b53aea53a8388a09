/** Characters of a key. */
const MAX_KEY = 512;

/** Names with `/` between them. Each starts with a letter or digit, so that a key can be a path everywhere. */
export const NOTE_KEY = /^(?=.{1,512}$)[A-Za-z0-9][A-Za-z0-9._:@~-]*(?:\/[A-Za-z0-9][A-Za-z0-9._:@~-]*)*$/;
const NOTE_KEY_RULE =
  "a key starts with a letter or digit and holds letters, digits and . _ : @ ~ -, or several such names with / between " +
  `them (${MAX_KEY} characters at most), such as deploy/freeze`;

/** What a note is about: a task or an agent, and otherwise the ecosystem. */
export type NoteSubject =
  | { readonly kind: "task" | "agent" /** The key after `task/` or `agent/`. */; readonly rest: string }
  | { readonly kind: "ecosystem" };

/** What the note of a valid key is about. */
export function subjectOf(key: string): NoteSubject {
  const [first, ...names] = key.split("/");
  return first === "task" || first === "agent" ? { kind: first, rest: names.join("/") } : { kind: "ecosystem" };
}

/** Why a key is refused; `undefined`: it is valid. */
export function keyProblem(key: string): string | undefined {
  if (!NOTE_KEY.test(key)) return NOTE_KEY_RULE;
  const subject = subjectOf(key);
  if (subject.kind === "ecosystem" || subject.rest.includes("/")) return undefined;
  return `a note of ${subject.kind === "task" ? "a task" : "an agent"} has a name of its own: ${subject.kind}/<${subject.kind === "task" ? "id" : "name"}>/<note>`;
}

/** The agent that a key is about, which is its second name; `undefined`: it is about none. */
export const agentOf = (key: string): string | undefined => /^agent\/([^/]+)\/./.exec(key)?.[1];

/** The keys of a task's notes begin with this. An id may hold slashes itself. */
export const taskPrefix = (taskId: string): string => `task/${taskId}/`;

/** The least text that is above every key with this prefix. Keys are ASCII. */
export const abovePrefix = (prefix: string): string => `${prefix}\u007f`;
