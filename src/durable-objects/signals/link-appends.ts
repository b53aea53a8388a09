import { isBoundTo } from "../../core/access/bindings.ts";
import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import { isSourceOfHost } from "../../core/hosts/own-source.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import type { AppendOutcome, AppendRequest, NumberConflict } from "../../core/signals/api.ts";
import { ownsProducer } from "../../core/signals/log/id-owner.ts";
import type { AgentFrame } from "../../core/wire/link-frames.ts";
import { logLine } from "../shell/log-line.ts";
import type { Connection } from "./connection.ts";
import { admitNumbered, appended, type Rejected } from "./numbered-batch.ts";
import type { AppendFindings } from "./read-frame.ts";

type Frame = Extract<AgentFrame, { type: "append" }>;

export interface LinkAppendsOptions {
  readonly append: (request: AppendRequest, answer: (outcome: AppendOutcome) => void) => void;
  /** Records dead letters; resolves when the ecosystem's dead-letter store has them durably. */
  readonly deadLetter: (records: readonly DeadLetterRecord[]) => Promise<void>;
  /** Keeps the object awake until `work` has ended. */
  readonly keepAlive: (work: Promise<void>) => void;
  readonly transmit: (connection: Connection, frame: string) => void;
  readonly refuse: (connection: Connection, batch: number, refusal: Problem, retryAfterMs?: number) => void;
}

/** Appends the numbered batches of links, each answered once: durable as a whole, or refused as a whole. */
export class LinkAppends {
  readonly #options: LinkAppendsOptions;

  constructor(options: LinkAppendsOptions) {
    this.#options = options;
  }

  receive(connection: Connection, frame: Frame, findings: AppendFindings = {}): void {
    const { append, transmit, refuse } = this.#options;
    const { producer, batch, first } = frame;
    const { host } = connection;
    if (host === null) return refuse(connection, batch, READ_ONLY);
    if (!ownsProducer(host, producer)) return refuse(connection, batch, foreignProducer(host, producer));
    const refusedFrom = connection.refused.get(producer);
    if (refusedFrom !== undefined && first > refusedFrom) {
      const detail = `The batch that begins at ${refusedFrom} was refused: send it again first`;
      return refuse(connection, batch, problem("out-of-order", 503, "An earlier batch is missing", detail), 0);
    }
    const { runs, rejected } = admitNumbered(frame, host, findings, sourcesOf(connection));
    const last = first + frame.signals.length - 1;
    // The dead letters count as one more part: the batch is answered when they are durable, too.
    let left = runs.length + (rejected.length > 0 ? 1 : 0);
    let ended = false;
    const stored = () => {
      if (--left > 0 || ended) return;
      connection.refused.delete(producer);
      transmit(connection, appended(batch, producer, last, rejected));
    };
    const refuseOnce = (reason: Problem, retryAfterMs?: number) => {
      if (!connection.refused.has(producer)) connection.refused.set(producer, first);
      if (!ended) refuse(connection, batch, reason, retryAfterMs);
      ended = true;
    };
    if (rejected.length > 0)
      this.#deadLetter(connection, producer, rejected, stored, () => {
        refuseOnce(problem("overloaded", 503, "The dead letters of the batch could not be stored"), 1_000);
      });
    for (const run of runs) {
      append(run, (outcome) => {
        if ("overloaded" in outcome)
          return refuseOnce(
            outcome.problem ?? problem("overloaded", 503, "The log is overloaded", outcome.detail),
            outcome.retry_after_ms,
          );
        // Of a request with numbers, an id of somebody else's is replaced.
        if ("foreign_id" in outcome) throw new Error(`the log refused an id of ${producer}`);
        if ("conflict" in outcome) return refuseOnce(conflict(producer, run.producer?.first ?? first, outcome));
        stored();
      });
    }
  }

  #deadLetter(
    { host }: Connection,
    producer: string,
    rejected: readonly Rejected[],
    stored: () => void,
    failed: () => void,
  ): void {
    const records = rejected.map(
      ({ number, errors, signal }): DeadLetterRecord => ({
        id: `${producer}.${number}`,
        kind: "signal",
        signal,
        error: errors.map((error) => `${error.pointer}: ${error.message}`).join("; "),
        daemon: `link/${host}`,
      }),
    );
    const recorded = this.#options.deadLetter(records).then(stored, (error: unknown) => {
      logLine("warn", "signals-not-dead-lettered", { object: "signals", host, error });
      failed();
    });
    this.#options.keepAlive(recorded);
  }
}

/** What the signals of a link may name as their source; `undefined`: everything. */
function sourcesOf({ host, token: { sources } }: Connection): ((source: string) => boolean) | undefined {
  if (sources === undefined || host === null) return undefined;
  return (source) => isBoundTo(sources, source) || isSourceOfHost(host, source);
}

const READ_ONLY = problem("read-only", 403, "A stream only reads: append over a link or by POST");

function foreignProducer(host: string, producer: string): Problem {
  const detail =
    `${producer.slice(0, 256)} is not a producer of the host ${host}: ` +
    `name producers ${host}.<epoch>.<lane>, without a full stop in the last two parts`;
  return problem("foreign-producer", 403, "Producer of another host", detail);
}

function conflict(producer: string, first: number, { conflict, same_up_to, last }: NumberConflict): Problem {
  const members = { producer, same_up_to, last };
  const goOn = "Keep what is not confirmed, and send it under a new producer name (another epoch)";
  if (conflict === "gap") {
    const detail = `The log holds ${producer} up to ${last}, and the batch begins at ${first}. ${goOn}`;
    return problem("producer-gap", 409, "The numbers are far ahead of the log", detail, members);
  }
  const detail =
    conflict === "closed"
      ? `Two senders have used ${producer}. ${goOn}`
      : `The log holds other signals of ${producer} after number ${same_up_to}: ` +
        `this state was set back, or another machine uses the same name. ${goOn}`;
  return problem("producer-conflict", 409, "The log holds other signals under these numbers", detail, members);
}
