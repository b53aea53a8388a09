import { Note, NotePage } from "../core/notes/api.ts";
import { tagOf } from "../core/notes/entity-tags.ts";
import { MAX_NOTE_WAIT_MS } from "../core/notes/limits.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import { ApiProblem } from "./http/problem-errors.ts";
import type { CallEdge } from "./http/request.ts";
import type { newRetrier } from "./http/retry.ts";

interface Calls {
  readonly call: CallEdge;
  readonly withRetries: ReturnType<typeof newRetrier>;
  readonly inside: (path: string) => string;
}

type Value = Readonly<Record<string, unknown>>;

export interface PutNote {
  /** The version that the note must have; `0`: there must be none. Without it the note is overwritten. */
  readonly ifVersion?: number | undefined;
  /** The note ends so long after this change, in milliseconds. Default: never; of a task, after 30 days. */
  readonly ttlMs?: number | undefined;
  /** Id of the signal that led to the change. */
  readonly cause?: string | undefined;
}

/** Tries of {@link noteCalls.update}: with twenty writers at a time a few are needed. */
const MAX_TRIES = 100;
/** For the way to the edge and back, beside what it waits for. */
const WAY_MS = 10_000;

/** Notes: versioned facts about tasks (`task/<id>/…`), agents (`agent/<name>/…`) and the ecosystem. */
export function noteCalls({ call, withRetries, inside }: Calls) {
  const at = (key: string) => inside(`/notes/${encodeURIComponent(key)}`);

  /** @returns `undefined`: there is no such note */
  async function get(key: string): Promise<Note | undefined> {
    try {
      return await call(Note, { path: at(key) });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** @throws ApiProblem of the status 412 where the note has another version */
  function put(key: string, value: Value, { ifVersion, ttlMs: ttl_ms, cause }: PutNote = {}): Promise<Note> {
    const headers = ifVersion === undefined ? {} : conditionOf(ifVersion);
    return call(Note, { method: "PUT", path: at(key), query: { ttl_ms, cause }, body: value, headers });
  }

  /**
   * Changes a note by what it holds, and loses no update of others: where another writer was faster, the change is made anew
   * to what that one wrote. A connection that breaks is thrown on, because nobody knows then whether the change was made.
   *
   * @param change - gets the present value, and `undefined` where there is none; may be called several times
   */
  async function update(
    key: string,
    change: (value: Value | undefined) => Value,
    options: Omit<PutNote, "ifVersion"> = {},
  ): Promise<Note> {
    let known = await get(key);
    for (let tries = 1; ; tries++) {
      const value = change(known?.value);
      try {
        return await put(key, value, { ...options, ifVersion: known?.version ?? 0 });
      } catch (error) {
        if (!isStale(error) || tries === MAX_TRIES) throw error;
        known = presentIn(error) ?? (await get(key));
      }
    }
  }

  /** Yields the note now and after each change; `undefined`: there is none. Changes that follow each other fast are one. */
  async function* watch(key: string, signal?: AbortSignal): AsyncGenerator<Note | undefined> {
    let known: Note | undefined = await get(key);
    yield known;
    while (signal?.aborted !== true) {
      const next = await withRetries(() => nextOf(key, known?.version, signal), signal);
      if (next === "same") continue;
      known = next;
      yield known;
    }
  }

  /** @returns `same`: nothing has changed within half a minute */
  async function nextOf(key: string, version: number | undefined, signal: AbortSignal | undefined) {
    try {
      const note = await call(Note.optional(), {
        path: at(key),
        query: { wait_ms: MAX_NOTE_WAIT_MS },
        headers: version === undefined ? {} : { "If-None-Match": tagOf(version) },
        timeoutMs: MAX_NOTE_WAIT_MS + WAY_MS,
        signal,
      });
      return note ?? "same";
    } catch (error) {
      if (!isMissing(error)) throw error;
      return version === undefined ? "same" : undefined;
    }
  }

  return {
    get,
    put,
    update,
    watch,
    /** A page of them by key. @param after - `next` of the page before */
    list: ({ prefix, after, limit }: { prefix?: string; after?: string; limit?: number } = {}) =>
      call(NotePage, { path: inside("/notes"), query: { prefix, after, limit } }),
    /** @param ifVersion - the version that the note must have */
    remove: (key: string, ifVersion?: number) =>
      call(NoAnswer, {
        method: "DELETE",
        path: at(key),
        headers: ifVersion === undefined ? {} : conditionOf(ifVersion),
      }),
  };
}

const conditionOf = (version: number): Record<string, string> =>
  version === 0 ? { "If-None-Match": "*" } : { "If-Match": tagOf(version) };

const isMissing = (error: unknown) => error instanceof ApiProblem && error.problem.status === 404;
const isStale = (error: unknown): error is ApiProblem => error instanceof ApiProblem && error.problem.status === 412;

/** The note that a refusal shows; `undefined`: it shows none. */
function presentIn({ problem }: ApiProblem): Note | undefined {
  const read = Note.safeParse(problem.note);
  return read.success ? read.data : undefined;
}
