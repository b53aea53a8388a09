import type { QuestionTerms } from "./settings.ts";
import type { Actor, QuestionState } from "./state.ts";

/** Reminders of one question, at most: who did not answer to so many reads none of them. */
const MAX_REMINDERS = 50;

export const EVENTS = ["asked", "reminded", "escalated", "answered", "expired", "cancelled"] as const;
/** What happened to a question: a signal each. */
export type QuestionEvent = (typeof EVENTS)[number];

export interface Changed {
  readonly state: QuestionState;
  readonly events: readonly QuestionEvent[];
}

/**
 * Why an answer does not count. `option`: it is none of the options. `kind`: a permission is decided by a call of its own, and
 * no other question is. `asker`: who asks for a permission does not give it.
 */
export type AnswerRefusal = "answered" | "expired" | "cancelled" | "option" | "kind" | "asker";

export type AnswerOutcome = (Changed & { readonly refused?: never }) | (Changed & { readonly refused: AnswerRefusal });

export interface GivenAnswer {
  readonly answer: string;
  readonly comment: string | null;
  readonly by: Actor;
  /** The same for a request that is sent again; `null`: nobody knows. */
  readonly key: string | null;
  /** It was given by the call that decides on permissions, which has a scope of its own. */
  readonly permits?: true;
}

const TIMEOUT: Actor = { name: "timeout", id: "", way: "timeout" };

/** A question that is asked now. */
export function newQuestion(terms: QuestionTerms, askedBy: Actor, nowMs: number): Changed {
  const state: QuestionState = {
    question: terms.question,
    recipient: terms.recipient,
    options: terms.options === null ? null : [...terms.options],
    contextJson: terms.contextJson,
    expiresMs: terms.expiresMs,
    onTimeout: terms.onTimeout,
    remindMs: terms.remindMs,
    escalateTo: terms.escalateTo,
    escalateAtMs: terms.escalateAtMs,
    cause: terms.cause,
    askedMs: nowMs,
    askedBy,
    state: "open",
    remindAtMs: terms.remindMs === null ? null : nowMs + terms.remindMs,
    reminders: 0,
    escalatedMs: null,
    closedMs: null,
    answer: null,
    comment: null,
    closedBy: null,
    answerKey: null,
    signal: null,
    permission: terms.permission,
  };
  return { state, events: ["asked"] };
}

/** Whether a question that is asked under a known id is that question. */
export const isSame = (state: QuestionState, terms: QuestionTerms): boolean =>
  state.question === terms.question &&
  state.recipient === terms.recipient &&
  state.onTimeout === terms.onTimeout &&
  state.contextJson === terms.contextJson &&
  JSON.stringify(state.permission) === JSON.stringify(terms.permission) &&
  JSON.stringify(state.options) === JSON.stringify(terms.options);

/** Who is asked now: the recipient, and who else since nobody answered. */
export const recipientsOf = ({ recipient, escalateTo, escalatedMs }: QuestionState): string[] =>
  escalateTo === null || escalatedMs === null ? [recipient] : [recipient, escalateTo];

/** When {@link advance} has something to do next; `undefined`: never. */
export function dueMs(question: QuestionState): number | undefined {
  if (question.state !== "open") return undefined;
  const escalate = question.escalatedMs === null ? question.escalateAtMs : null;
  const times = [question.expiresMs, question.remindAtMs ?? Number.POSITIVE_INFINITY];
  return Math.min(...times, escalate ?? Number.POSITIVE_INFINITY);
}

/**
 * Does what is due. Where all of it was missed, as over an absence, the end counts and what led to it does not: nobody is
 * reminded of a question that has expired.
 */
export function advance(question: QuestionState, nowMs: number): Changed {
  if (question.state !== "open") return { state: question, events: [] };
  if (nowMs >= question.expiresMs) return timedOut(question, nowMs);
  const events: QuestionEvent[] = [];
  let state = question;
  const { escalateAtMs, escalatedMs } = state;
  if (escalateAtMs !== null && escalatedMs === null && nowMs >= escalateAtMs) {
    state = { ...state, escalatedMs: nowMs };
    events.push("escalated");
  }
  const { remindAtMs, remindMs } = state;
  if (remindAtMs !== null && remindMs !== null && nowMs >= remindAtMs) {
    const reminders = state.reminders + 1;
    state = { ...state, reminders, remindAtMs: reminders >= MAX_REMINDERS ? null : nowMs + remindMs };
    events.push("reminded");
  }
  return { state, events };
}

function timedOut(question: QuestionState, nowMs: number): Changed {
  const { onTimeout: answer } = question;
  if (answer === null) return closed(question, "expired", null, nowMs);
  return closed({ ...question, answer }, "answered", TIMEOUT, nowMs);
}

/** The first answer counts, and no other: the same request again is that answer. */
export function answer(question: QuestionState, given: GivenAnswer, nowMs: number): AnswerOutcome {
  const { state, events } = advance(question, nowMs);
  if ((state.permission !== null) !== (given.permits === true)) return { state, events, refused: "kind" };
  // By the id of the token: a name may be given twice. The session of a browser has an id of its own: a person sits there.
  if (state.permission !== null && given.by.id === state.askedBy.id) return { state, events, refused: "asker" };
  if (state.state !== "open") {
    const again = state.state === "answered" && given.key !== null && given.key === state.answerKey;
    return again && given.answer === state.answer ? { state, events } : { state, events, refused: state.state };
  }
  if (state.options !== null && !state.options.includes(given.answer)) return { state, events, refused: "option" };
  const answered = { ...state, answer: given.answer, comment: given.comment, answerKey: given.key };
  const done = closed(answered, "answered", given.by, nowMs);
  return { state: done.state, events: [...events, ...done.events] };
}

/** Takes the question back; one that is over stays as it is. */
export function cancel(question: QuestionState, by: Actor, nowMs: number): Changed {
  const { state, events } = advance(question, nowMs);
  if (state.state !== "open") return { state, events };
  const done = closed(state, "cancelled", by, nowMs);
  return { state: done.state, events: [...events, ...done.events] };
}

function closed(
  question: QuestionState,
  state: "answered" | "expired" | "cancelled",
  closedBy: Actor | null,
  nowMs: number,
): Changed {
  return { state: { ...question, state, closedBy, closedMs: nowMs, remindAtMs: null }, events: [state] };
}
