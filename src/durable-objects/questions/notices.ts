import { recipientsOf } from "../../core/questions/machine.ts";
import { questionMessage } from "../../core/questions/message.ts";
import type { QuestionState } from "../../core/questions/state.ts";
import { taskAnswer } from "../../core/questions/view.ts";
import type { NewDelivery } from "../../core/webhooks/api.ts";
import { QUESTION_ENDED_TYPE, QUESTION_TYPE } from "../../core/webhooks/delivery.ts";
import { logLine } from "../shell/log-line.ts";
import { objectNamed } from "../shell/ports.ts";
import type { Links } from "./links.ts";
import type { QuestionsBindings } from "./ports.ts";
import type { Notice, QuestionStore } from "./question-store.ts";

const BATCH = 100;
/** An alarm works for so long, in milliseconds; the next one does the rest. */
const RUN_MS = 20_000;
/** A notice that was not taken is tried again, ever more seldom. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;

interface NoticeRunParts {
  readonly env: QuestionsBindings;
  readonly ecosystem: string;
  readonly store: QuestionStore;
  readonly links: Links;
}

/**
 * Tells others what is to be told: people, by messages to the endpoints of the recipient, and queues, of the answers that
 * their tasks wait for. A crash before a notice is forgotten repeats it. Both sides know what they have: a delivery has an
 * id that follows from its notice, and a task is given the answer to a question once.
 */
export async function sendNotices({ env, ecosystem, store, links }: NoticeRunParts): Promise<void> {
  const startMs = Date.now();
  while (Date.now() < startMs + RUN_MS) {
    const due = store.dueNotices(Date.now(), BATCH);
    if (due.length === 0) return;
    for (const notice of due) {
      let taken = false;
      try {
        taken = await send(notice);
      } catch (error) {
        logLine("warn", "question-notice-not-taken", { ecosystem, object: "questions", kind: notice.kind, error });
      }
      if (taken) store.forgetNotice(notice.number);
      else store.postpone(notice.number, Date.now() + retryMs(notice.tries));
    }
  }

  async function send(notice: Notice): Promise<boolean> {
    const state = store.read(notice.question)?.state;
    // Forgotten since: nobody waits any more for what ended a month ago.
    if (state === undefined) return true;
    return notice.kind === "task" ? tellTask(notice, state) : tellPeople(notice.kind, notice, state);
  }

  async function tellTask({ question, target }: Notice, state: QuestionState): Promise<boolean> {
    const answer = taskAnswer(question, state);
    if (answer === undefined) return true;
    const end = target.indexOf("/");
    const [queue, task] = [target.slice(0, end), target.slice(end + 1)];
    const object = objectNamed(env.PRIORITY_QUEUE, `${ecosystem}/${queue}`, env);
    // A task that the queue does not know any more waits for nothing.
    return !("overloaded" in (await object.applyAction({ action: "answer", taskId: task, answer })));
  }

  async function tellPeople(
    kind: Exclude<Notice["kind"], "task">,
    { question, key, target }: Notice,
    state: QuestionState,
  ): Promise<boolean> {
    if (kind !== "closed" && state.state !== "open") return true;
    const object = objectNamed(env.WEBHOOKS, ecosystem, env);
    const endpoints = await object.questionEndpoints(kind === "closed" ? recipientsOf(state) : [target]);
    const deliveries: NewDelivery[] = [];
    for (const { id, edge } of endpoints) {
      const link =
        kind === "closed" || edge === undefined || state.permission !== null
          ? undefined
          : `${edge}/v1/${ecosystem}/answer/${await links.sign({ question, endpoint: id, message: key }, state)}`;
      deliveries.push({
        // One of a question that was asked anew under an id that was forgotten is another message.
        id: `question.${question}.${state.askedMs.toString(36)}.${key}.${id}`,
        endpoint: id,
        type: kind === "closed" ? QUESTION_ENDED_TYPE : QUESTION_TYPE,
        body: JSON.stringify(questionMessage(ecosystem, question, kind, state, link)),
        ...(state.signal === null ? {} : { cause: state.signal }),
      });
    }
    if (deliveries.length > 0) await object.deliver(deliveries);
    return true;
  }
}

const retryMs = (tries: number): number => Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(tries, 20));
