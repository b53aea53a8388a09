import { NewMail } from "../../../src/core/mail/api.ts";
import { actOnMail, MAIL_LEASE_MS, readMail } from "../../../src/core/mail/mailbox.ts";
import { mailOf, payloadOf, taskOfMail } from "../../../src/core/mail/message.ts";
import { MAIL_SETTINGS } from "../../../src/core/mail/settings.ts";
import { TaskView } from "../../../src/core/queue/api.ts";
import { entryJson, finishedJson } from "../../../src/core/queue/task-view.ts";
import { QueueUnderTest } from "../queue/queue-under-test.ts";

export const LIFE_MS = 10_000;

/** The queue `mail`, with a storage, so that it can crash. */
export class MailboxUnderTest {
  readonly #queue = new QueueUnderTest(MAIL_SETTINGS);
  /** In the order in which they were sent, with their payloads. */
  readonly #sent = new Map<string, string>();

  send(id: string, from: string, to: string): "sent" | "known" {
    const mail = NewMail.parse({ to, body: id, expires_ms: LIFE_MS });
    const payload = JSON.stringify(payloadOf(mail, id, this.#queue.nowMs));
    const answer = this.#queue.enqueue([taskOfMail({ id, from, to, thread: id }, mail, payload)]);
    const known = "receipts" in answer && answer.receipts[0]?.known === true;
    if (!known) this.#sent.set(id, payload);
    return known ? "known" : "sent";
  }

  receive(to: string, max: number): string[] {
    return Array.from({ length: max }, () => this.#queue.lease(to, MAIL_LEASE_MS)?.taskId).filter(
      (id) => id !== undefined,
    );
  }

  read(id: string): boolean {
    return this.#said(id, this.#queue.change((queue, nowMs) => readMail(queue, { taskId: id, worker: "w" }, nowMs)).ok);
  }

  act(id: string): boolean {
    const acted = { taskId: id, worker: "w", resultJson: null };
    return this.#said(id, this.#queue.change((queue, nowMs) => actOnMail(queue, acted, nowMs)).ok);
  }

  withdraw(id: string): boolean {
    return this.#queue.cancel(id).ok;
  }

  pass(ms: number): void {
    this.#queue.pass(ms);
    // A lease that ends gives the message back for a moment, in which its time is over too.
    this.#queue.pass(1);
    this.#queue.pass(-1);
  }

  crash(): void {
    this.#queue.crash();
  }

  /** Every message with its states, in the order in which they were sent. */
  all(): string[] {
    return [...this.#sent].map(([id, payload]) => {
      const { from, to, state, ...times } = mailOf(this.#view(id, payload));
      const at = (time: string | null) => (time === null ? null : Date.parse(time));
      const { sent_at, delivered_at, read_at, ended_at } = times;
      return [id, from, to, state, at(sent_at), at(delivered_at), at(read_at), at(ended_at)].join(" ");
    });
  }

  /** What is said again of a message that was acted on is true. */
  #said(id: string, ok: boolean): boolean {
    return ok || this.#queue.finished.get(id)?.outcome === "complete";
  }

  #view(id: string, payload: string): TaskView {
    const entry = this.#queue.queue.find(id);
    const record = this.#queue.finished.get(id);
    if (entry !== undefined) return TaskView.parse(JSON.parse(entryJson(entry, payload)));
    if (record === undefined) throw new Error(`the message ${id} is lost`);
    return TaskView.parse(JSON.parse(finishedJson(record, payload)));
  }
}
