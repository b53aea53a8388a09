import type { DeadLetter } from "./dead-letter.ts";
import type { DeadLetterKind } from "./kinds.ts";
import { causeOfDeadLetter } from "./record.ts";

/** A dead letter without what it holds: what is needed to tell which of them have one cause. */
export interface DeadLetterDigest {
  readonly id: string;
  readonly kind: DeadLetterKind;
  /** The component that gave up. */
  readonly daemon: string;
  readonly error: string;
  readonly firstFailedAt: string;
  readonly host?: string;
  /** Of a task: its queue, and who should have done it. */
  readonly queue?: string;
  readonly recipient?: string;
  /** Of a message to a webhook. */
  readonly endpoint?: string;
  /** Id of the signal that led to it. */
  readonly cause?: string;
}

/** The dead letters of an ecosystem that wait: how many, and the newest of them. */
export interface DeadLetterSummary {
  readonly open: number;
  readonly newest: readonly DeadLetterDigest[];
}

const ERROR_CHARS = 300;
const OF_QUEUE = "ganglion/queue/";

export function digestOf(deadLetter: DeadLetter): DeadLetterDigest {
  const { id, kind, daemon, error, host, first_failed_at } = deadLetter;
  const recipient = textIn(deadLetter.task, "recipient");
  const endpoint = textIn(deadLetter.webhook, "endpoint");
  const cause = causeOfDeadLetter(deadLetter) ?? textIn(deadLetter.signal, "id");
  return {
    id,
    kind,
    daemon,
    error: error.slice(0, ERROR_CHARS),
    firstFailedAt: first_failed_at,
    ...(host === undefined ? {} : { host }),
    ...(kind === "task" && daemon.startsWith(OF_QUEUE) ? { queue: daemon.slice(OF_QUEUE.length) } : {}),
    ...(recipient === undefined ? {} : { recipient }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(cause === undefined ? {} : { cause }),
  };
}

function textIn(value: unknown, name: string): string | undefined {
  const found = (value as Record<string, unknown> | null | undefined)?.[name];
  return typeof found === "string" ? found : undefined;
}
