import * as z from "zod";
import { MAIL_QUEUE } from "../../core/mail/api.ts";
import { KnownRecipients } from "../../core/mail/known-recipients.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import type { Waiters } from "../../core/queue/waiters.ts";
import { readableOr } from "../shell/readable-rows.ts";
import type { TaskStore } from "./task-store.ts";

const Names = z.array(z.string());

/** Who has ever waited for mail. Of a queue other than `mail` nothing is kept. */
export class MailRecipients {
  readonly #notes: TaskStore["notes"];
  readonly #known: KnownRecipients | undefined;

  constructor(queue: string, { notes }: TaskStore) {
    this.#notes = notes;
    if (queue !== MAIL_QUEUE) return;
    const read = (text: string) => Names.parse(JSON.parse(text));
    this.#known = new KnownRecipients(readableOr("recipients of mail", notes.read("recipients"), read, []));
  }

  /** A row is written for each name, once. */
  note(recipient: string): void {
    if (this.#known?.add(recipient) === true) this.#notes.write("recipients", JSON.stringify(this.#known.all));
  }

  /** Oldest first. */
  get all(): readonly string[] {
    return this.#known?.all ?? [];
  }
}

/** What the queue `mail` knows of a recipient. */
export interface Addressee {
  /** Somebody waits for its messages now. */
  readonly waits: boolean;
  /** Unfinished messages of it. */
  readonly open: number;
  /** Whether it has ever waited for mail, or was written to before. */
  readonly known: boolean;
  /** Those who have, for a name that is none of them. */
  readonly names: readonly string[];
}

export function addresseeOf(
  recipient: string,
  { depths }: Pick<TaskQueue, "depths">,
  waiters: Pick<Waiters, "serves">,
  recipients: MailRecipients,
): Addressee {
  const { queued = 0, running = 0 } = depths.byRecipient.get(recipient) ?? {};
  const { all } = recipients;
  const known = queued + running > 0 || all.includes(recipient);
  return { waits: waiters.serves(recipient), open: queued + running, known, names: known ? [] : all };
}
