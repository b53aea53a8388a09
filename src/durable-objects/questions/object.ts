import { isBoundTo } from "../../core/access/bindings.ts";
import { questionSamples } from "../../core/metrics/samples.ts";
import type { Question, QuestionFinding, QuestionPage } from "../../core/questions/api.ts";
import {
  type AnswerRefusal,
  advance,
  answer,
  type Changed,
  cancel,
  type GivenAnswer,
  isSame,
  newQuestion,
  recipientsOf,
} from "../../core/questions/machine.ts";
import { questionSignal } from "../../core/questions/question-signal.ts";
import { MAX_OPEN, MAX_WATCHERS, type QuestionTerms } from "../../core/questions/settings.ts";
import type { Actor, QuestionState } from "../../core/questions/state.ts";
import { questionView, taskAnswer } from "../../core/questions/view.ts";
import type { AwaitedAnswer } from "../../core/queue/awaited-answer.ts";
import { AttentionNudge } from "../shell/attention-nudge.ts";
import { DirectoryMark, unlisted } from "../shell/directory-mark.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { OwnSignals } from "../shell/own-signals.ts";
import { objectNamed } from "../shell/ports.ts";
import type { Schema } from "../shell/schema.ts";
import { questionsErasure } from "./erasure.ts";
import { Links } from "./links.ts";
import { sendNotices } from "./notices.ts";
import type { QuestionsBindings } from "./ports.ts";
import { type QuestionFilter, QuestionStore, type StoredQuestion } from "./question-store.ts";
import { Waiting } from "./waiting.ts";

/** The alarm is at most so far ahead, so that a clock that was set back keeps no question from its end. */
const AHEAD_MS = 86_400_000;
const MAX_FINDINGS = 100;
const BATCH = 100;

export type AnswerReply =
  | { readonly question: Question }
  | { readonly refused: AnswerRefusal; readonly question: Question; readonly state: QuestionState }
  /** The token is bound to others than who is asked. */
  | { readonly foreign: string };

export type WatchReply =
  | { readonly recipient: string; readonly expiresMs: number; readonly over?: AwaitedAnswer }
  | { readonly full: number };

/**
 * The questions of an ecosystem to its people. A change of a question, its signal and what others are to be told are one
 * transaction: whatever is lost after that is told again. One alarm wakes for the first of all that is due.
 */
export class Questions extends EcosystemObject<QuestionsBindings> {
  static override readonly schema: Schema = {
    of: "Questions",
    steps: [],
    copy: {
      leftOut: ["link_secret"],
      // The directory of another deployment does not know yet that the ecosystem has open questions.
      without: unlisted,
    },
    erasure: questionsErasure,
  };
  readonly #store: QuestionStore;
  readonly #signals: OwnSignals;
  readonly #mark: DirectoryMark<"asking">;
  readonly #links: Links;
  readonly #nudge: AttentionNudge;
  readonly #waiting = new Waiting();
  /** An alarm is at work, and sets the next one at its end; the runtime repeats one whose object was lost. */
  #acting = false;

  constructor(ctx: DurableObjectState, env: QuestionsBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms } = this;
    this.#store = new QuestionStore(sql);
    const wakeBy = (atMs: number) => alarms.wakeBy(atMs);
    const common = { ctx, env, ecosystem, sql, name: "questions", notes: this.#store.notes, wakeBy };
    this.#signals = new OwnSignals(common);
    this.#mark = new DirectoryMark({ ...common, mark: "asking" });
    this.#links = new Links(this.#store, ecosystem);
    this.#nudge = new AttentionNudge({ ctx, env, ecosystem });
    this.reports.of(() => ({ samples: questionSamples(this.#store.openByKind), folded: 0 }));
  }

  /** Asks; a question of a known id is not asked again. @returns `full`: too many wait; `other`: the id is of another question */
  async ask(
    id: string,
    terms: QuestionTerms,
    by: Actor,
  ): Promise<{ readonly question: Question } | { readonly full: number } | { readonly other: true }> {
    const known = this.#store.read(id);
    if (known !== undefined)
      return isSame(known.state, terms) ? { question: questionView(id, known.state) } : { other: true };
    if (this.#store.open >= MAX_OPEN) return { full: MAX_OPEN };
    const nowMs = Date.now();
    const stored = this.#transact({ id, ...newQuestion(terms, by, nowMs) }, nowMs, () => this.#store.forgetOld(nowMs));
    await this.#list();
    return { question: questionView(id, stored.state) };
  }

  list(filter: QuestionFilter): QuestionPage {
    const { questions, next } = this.#store.list(filter);
    return {
      questions: questions.map(({ id, state }) => questionView(id, state)),
      next: next === null ? null : String(next),
    };
  }

  /** @param waitMs - how long to wait for its end @param bound - recipients whose questions the caller may see */
  async show(id: string, waitMs = 0, bound?: readonly string[]): Promise<Question | null> {
    const stored = this.#advanced(id);
    if (stored === undefined || !mayAct(bound, stored.state)) return null;
    if (stored.state.state === "open" && waitMs > 0) await this.#waiting.until(id, waitMs);
    const now = this.#store.read(id);
    return now === undefined ? null : questionView(id, now.state);
  }

  /** @param bound - recipients for whom the caller may answer; absent: any @returns `null`: there is no such question */
  answer(id: string, given: GivenAnswer, bound?: readonly string[]): AnswerReply | null {
    const stored = this.#store.read(id);
    if (stored === undefined) return null;
    if (!mayAct(bound, stored.state)) return { foreign: stored.state.recipient };
    const nowMs = Date.now();
    const { refused, ...changed } = answer(stored.state, given, nowMs);
    const { state } = this.#transact({ id, ...changed }, nowMs);
    const question = questionView(id, state);
    return refused === undefined ? { question } : { refused, question, state };
  }

  /** Takes a question back. @returns `null`: there is none */
  cancel(id: string, by: Actor): Question | null {
    const stored = this.#store.read(id);
    if (stored === undefined) return null;
    const nowMs = Date.now();
    return questionView(id, this.#transact({ id, ...cancel(stored.state, by, nowMs) }, nowMs).state);
  }

  /**
   * From now on the task of a queue is given the answer, once. Called before the task is parked: an answer that comes between
   * finds a task that runs, which keeps the answer.
   *
   * @returns `null`: there is no such question; `over`: how it ended
   */
  watch(id: string, queue: string, taskId: string): WatchReply | null {
    const stored = this.#advanced(id);
    if (stored === undefined) return null;
    const { recipient, expiresMs } = stored.state;
    const over = taskAnswer(id, stored.state);
    const about = { recipient, expiresMs };
    if (over !== undefined) return { ...about, over };
    const target = `${queue}/${taskId}`;
    const watchers = this.#store.watchers(id);
    if (watchers.length >= MAX_WATCHERS && !watchers.includes(target)) return { full: MAX_WATCHERS };
    this.#store.watch(id, target);
    return about;
  }

  /** What a link shows; `null`: it is none of ours. */
  async linked(link: string): Promise<{ readonly question: Question; readonly state: QuestionState } | null> {
    const target = await this.#links.verify(link);
    const stored = target === undefined ? undefined : this.#advanced(target.question);
    return stored === undefined ? null : { question: questionView(stored.id, stored.state), state: stored.state };
  }

  /** Answers by a link: once, as each question is answered once. @returns `null`: the link is none of ours */
  async answerByLink(link: string, text: string): Promise<AnswerReply | null> {
    const target = await this.#links.verify(link);
    if (target === undefined) return null;
    const by: Actor = { name: target.endpoint, id: target.message, way: "link" };
    return this.answer(target.question, { answer: text, comment: null, by, key: null });
  }

  /** Open questions, the first to expire first, of `total`. */
  attention(): { findings: QuestionFinding[]; total: number } {
    const findings = this.#store.urgent(MAX_FINDINGS).map(({ stored, tasks }) => {
      const { context: _, ...view } = questionView(stored.id, stored.state);
      return { ...view, tasks };
    });
    return { findings, total: this.#store.open };
  }

  override async alarm(): Promise<void> {
    this.#acting = true;
    try {
      for (let due = this.#store.due(Date.now(), BATCH); due.length > 0; due = this.#store.due(Date.now(), BATCH))
        for (const { id } of due) this.#advanced(id);
      await sendNotices({ env: this.env, ecosystem: this.ecosystem, store: this.#store, links: this.#links });
      await this.#list();
      await this.#signals.run();
    } finally {
      this.#acting = false;
      this.#wake();
    }
  }

  /** The question as it is now: what is due may not have been done yet. */
  #advanced(id: string): StoredQuestion | undefined {
    const stored = this.#store.read(id);
    if (stored === undefined) return undefined;
    const nowMs = Date.now();
    const changed = advance(stored.state, nowMs);
    return changed.events.length === 0 ? stored : this.#transact({ id, ...changed }, nowMs);
  }

  /** Stores a change with its signals and with what others are to be told of it. */
  #transact(
    { id, state: changed, events }: { id: string } & Changed,
    nowMs: number,
    also?: () => void,
  ): StoredQuestion {
    if (events.length === 0) return { id, state: changed };
    const stored = this.transaction(
      () => {
        let state = changed;
        for (const event of events) {
          const signal = this.#signals.emit({ ...questionSignal(id, event, state), timestampMs: nowMs });
          if (event === "asked") state = { ...state, signal };
        }
        for (const event of events) this.#tell(id, event, state, nowMs);
        also?.();
        this.#store.write({ id, state });
        this.#signals.write();
        return { id, state };
      },
      () => this.#signals.reload(),
    );
    if (stored.state.state !== "open") this.#waiting.end(id);
    this.#wake();
    return stored;
  }

  #tell(id: string, event: Changed["events"][number], state: QuestionState, nowMs: number): void {
    if (event === "asked" || event === "reminded" || event === "escalated") {
      const recipients = recipientsOf(state);
      const told = event === "escalated" ? recipients.slice(1) : recipients;
      const key = event === "reminded" ? `${event}-${state.reminders}` : event;
      for (const target of told) this.#store.notify({ question: id, kind: event, key, target }, nowMs);
      return;
    }
    this.#store.dropMessages(id);
    this.#store.notify({ question: id, kind: "closed", key: "closed", target: state.recipient }, nowMs);
    this.#store.tellWatchers(id, nowMs);
  }

  /** In the turn of the change, hence in the same write to the disk: a crash cannot lose the alarm of a change. */
  #wake(): void {
    if (this.#acting) return;
    const nowMs = Date.now();
    const due = this.#store.nextDueMs;
    if (due !== undefined) this.alarms.wakeBy(Math.min(Math.max(due, nowMs), nowMs + AHEAD_MS));
    else if (this.#mark.isSet && this.#store.open === 0) this.alarms.wakeBy(nowMs);
    if (this.#signals.handOver()) this.#nudge.changed();
  }

  /** Lets the directory know whether questions are open: nobody asks an ecosystem that has none what waits. */
  #list(): Promise<void> {
    const any = this.#store.open > 0;
    // Links are opened without a token, in ecosystems that exist.
    const touch = () => objectNamed(this.env.DIRECTORY, "directory", this.env).touch(this.ecosystem, Date.now());
    return this.#mark.update(any, any ? touch : undefined);
  }
}

const mayAct = (bound: readonly string[] | undefined, state: QuestionState): boolean =>
  recipientsOf(state).some((recipient) => isBoundTo(bound, recipient));
