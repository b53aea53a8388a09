import { NoAnswer } from "../../src/client/answers/no-answer.ts";
import { Limit, LimitPage } from "../../src/core/limits/api.ts";
import { LockPage, LockReleased } from "../../src/core/locks/api.ts";
import { Note, NotePage } from "../../src/core/notes/api.ts";
import { tagOf } from "../../src/core/notes/entity-tags.ts";
import { Question, QuestionPage } from "../../src/core/questions/api.ts";
import { edgeOf } from "../base/edge.ts";

/** How many of a list one call reads. */
const PAGE = 100;

interface SavedNote {
  readonly value: unknown;
  /** The version that is edited; `undefined`: there must be none. */
  readonly version: number | undefined;
  /** When the note ends; an edit leaves that as it is. */
  readonly expiresAt: string | null;
}

/**
 * Calls of the view, each made once: the clients of programs also renew, wait and repeat, which a page that is looked at does by
 * its next look.
 */
export function callsOf(ecosystem: string) {
  const { call, inside } = edgeOf(ecosystem);
  const limit = (name: string, path = "") => inside(`/limits/${encodeURIComponent(name)}${path}`);
  const question = (id: string, path = "") => inside(`/questions/${encodeURIComponent(id)}${path}`);
  const note = (key: string) => inside(`/notes/${encodeURIComponent(key)}`);
  return {
    limits: async () => (await call(LimitPage, { path: inside("/limits") })).limits,
    closeLimit: (name: string, minutes: number, reason: string) =>
      call(Limit, {
        method: "POST",
        path: limit(name, "/close"),
        body: { retry_after_seconds: minutes * 60, ...(reason === "" ? {} : { reason }) },
      }),
    openLimit: (name: string) => call(Limit, { method: "POST", path: limit(name, "/open") }),
    locks: (name: string, after?: string) =>
      call(LockPage, { path: inside("/locks"), query: { limit: PAGE, after, name: name === "" ? undefined : name } }),
    releaseLock: (name: string, fence: number) =>
      call(LockReleased, {
        method: "POST",
        path: inside(`/locks/${encodeURIComponent(name)}/release`),
        body: { fence },
      }),
    questions: (state: string, recipient: string, after?: string) =>
      call(QuestionPage, {
        path: inside("/questions"),
        query: {
          limit: PAGE,
          after,
          state: state === "all" ? undefined : state,
          recipient: recipient === "" ? undefined : recipient,
        },
      }),
    question: (id: string) => call(Question, { path: question(id) }),
    /** A request of permission is answered by its own call, which takes a scope of its own. */
    answer: ({ id, permission }: Question, answer: string, comment: string) =>
      call(Question, {
        method: "POST",
        path:
          permission === undefined ? question(id, "/answer") : inside(`/permissions/${encodeURIComponent(id)}/answer`),
        body: { [permission === undefined ? "answer" : "behavior"]: answer, ...(comment === "" ? {} : { comment }) },
      }),
    cancelQuestion: (id: string) => call(Question, { method: "POST", path: question(id, "/cancel") }),
    notes: (prefix: string, after?: string) =>
      call(NotePage, { path: inside("/notes"), query: { limit: PAGE, after, prefix } }),
    note: (key: string) => call(Note, { path: note(key) }),
    saveNote: (key: string, { value, version, expiresAt }: SavedNote) =>
      call(Note, {
        method: "PUT",
        path: note(key),
        query: { ttl_ms: expiresAt === null ? undefined : Math.max(1_000, Date.parse(expiresAt) - Date.now()) },
        headers: version === undefined ? { "If-None-Match": "*" } : { "If-Match": tagOf(version) },
        body: value,
      }),
    deleteNote: (key: string, version: number) =>
      call(NoAnswer, { method: "DELETE", path: note(key), headers: { "If-Match": tagOf(version) } }),
  };
}

export type Calls = ReturnType<typeof callsOf>;
