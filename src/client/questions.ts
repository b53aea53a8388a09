import { type AnswerRequest, Asked, Question, QuestionPage } from "../core/questions/api.ts";
import type { QuestionInput } from "../core/questions/settings.ts";
import type { QuestionKind } from "../core/questions/state.ts";
import type { CallEdge } from "./http/request.ts";
import { uuid7 } from "./http/uuid7.ts";

interface Calls {
  readonly call: CallEdge;
  readonly withRetries: <Answer>(attempt: () => Promise<Answer>) => Promise<Answer>;
  readonly inside: (path: string) => string;
}

export interface QuestionQuery {
  readonly state?: Question["state"];
  /** Only questions that this person or role is asked. */
  readonly recipient?: string;
  /** `permission`: requests of permission to use a tool; default all. */
  readonly kind?: QuestionKind;
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface WaitOptions {
  /** Longest wait, in milliseconds; default until the question is over. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** Longest wait of one request, and what is added to its time-out for the network. */
const WAIT_MS = 25_000;
const NETWORK_MS = 5_000;

/** Calls about questions to people. */
export function questionCalls({ call, withRetries, inside }: Calls) {
  const at = (id: string, path = "") => inside(`/questions/${encodeURIComponent(id)}${path}`);
  const show = (id: string, waitMs = 0) =>
    call(Question, { path: at(id), query: { wait_ms: waitMs }, timeoutMs: waitMs + NETWORK_MS });

  const calls = {
    /** Asks. Without an `id` the client chooses one, so that a request that is sent again asks once. */
    ask: (question: QuestionInput): Promise<Asked> => {
      const body = { ...question, id: question.id ?? `q-${uuid7()}` };
      return withRetries(() => call(Asked, { method: "POST", path: inside("/questions"), body }));
    },
    list: (query: QuestionQuery = {}) => call(QuestionPage, { path: inside("/questions"), query: { ...query } }),
    show: (id: string) => show(id),
    /** Waits for the end of a question. @returns the question as it is then, or after `waitMs` */
    wait: async (id: string, { waitMs = Number.POSITIVE_INFINITY, signal }: WaitOptions = {}): Promise<Question> => {
      const untilMs = Date.now() + waitMs;
      for (;;) {
        const leftMs = Math.max(0, Math.min(WAIT_MS, untilMs - Date.now()));
        const question = await withRetries(() => show(id, leftMs));
        if (question.state !== "open" || Date.now() >= untilMs || signal?.aborted === true) return question;
      }
    },
    /** Answers a question, once. @param key - the same for a request that is sent again; default a new one */
    answer: (id: string, answer: string, { comment, key = uuid7() }: { comment?: string; key?: string } = {}) => {
      const body: AnswerRequest = comment === undefined ? { answer } : { answer, comment };
      const headers = { "Idempotency-Key": key };
      return withRetries(() => call(Question, { method: "POST", path: at(id, "/answer"), body, headers }));
    },
    /** Takes a question back. */
    cancel: (id: string) => call(Question, { method: "POST", path: at(id, "/cancel") }),
    /** Asks, and waits for the answer. */
    askHuman: async (question: QuestionInput, wait: WaitOptions = {}): Promise<Question> =>
      calls.wait((await calls.ask(question)).id, wait),
  };
  return calls;
}
