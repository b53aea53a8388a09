import { MailMessage, MailPage, type NewMail, ReceivedMail, SentMail } from "../core/mail/api.ts";
import type { CallEdge } from "./http/request.ts";
import { uuid7 } from "./http/uuid7.ts";

/** A message to be sent. Without an `id` the client chooses one, so that it is sent once. */
export type Letter = Partial<NewMail>;

export interface MailboxQuery {
  readonly thread?: string;
  /** Messages that have ended, the last first, instead of open ones. */
  readonly ended?: boolean;
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface MailQuery extends MailboxQuery {
  readonly to?: string;
  readonly from?: string;
}

/** Added to the time-out of a request that waits, for the network. */
const NETWORK_MS = 5_000;

interface MailCallsOptions {
  readonly call: CallEdge;
  readonly withRetries: <Answer>(attempt: () => Promise<Answer>) => Promise<Answer>;
  readonly inside: (path: string) => string;
}

/** Calls about messages to agents. */
export function mailCalls({ call, withRetries, inside }: MailCallsOptions) {
  const message = (id: string, step = "") => inside(`/mail/${encodeURIComponent(id)}${step}`);
  const mailbox = (recipient: string, path = "") => inside(`/mailboxes/${encodeURIComponent(recipient)}${path}`);
  const asQuery = ({ ended, ...query }: MailQuery) => ({ ...query, ...(ended === true ? { ended: "true" } : {}) });

  return {
    send: (letter: Letter): Promise<SentMail> => {
      const body = { ...letter, id: letter.id ?? uuid7() };
      return withRetries(() => call(SentMail, { method: "POST", path: inside("/mail"), body }));
    },
    list: (query: MailQuery = {}) => call(MailPage, { path: inside("/mail"), query: asQuery(query) }),
    show: (id: string) => call(MailMessage, { path: message(id) }),
    /** What lies in a recipient's mailbox; a look changes nothing. */
    inbox: (recipient: string, query: MailboxQuery = {}) =>
      call(MailPage, { path: mailbox(recipient), query: asQuery(query) }),
    outbox: (recipient: string, query: MailboxQuery = {}) =>
      call(MailPage, { path: mailbox(recipient), query: { ...asQuery(query), box: "out" } }),
    /** Takes the messages that are new, oldest first, and waits for one. */
    receive: async (recipient: string, { max = 10, waitMs = 0 }: { max?: number; waitMs?: number } = {}) => {
      const body = { max, wait_ms: waitMs };
      const path = mailbox(recipient, "/receive");
      return (await call(ReceivedMail, { method: "POST", path, body, timeoutMs: waitMs + NETWORK_MS })).messages;
    },
    read: (id: string) => call(MailMessage, { method: "POST", path: message(id, "/read") }),
    act: (id: string, result?: unknown) =>
      withRetries(() => call(MailMessage, { method: "POST", path: message(id, "/act"), body: { result } })),
  };
}
