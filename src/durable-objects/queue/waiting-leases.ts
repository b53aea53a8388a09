import { placedBy } from "../../core/queue/abilities.ts";
import type { QueueOverloaded } from "../../core/queue/api.ts";
import type { Entry } from "../../core/queue/entry.ts";
import type { HostLoads } from "../../core/queue/host-loads.ts";
import type { QueuePause } from "../../core/queue/pause.ts";
import type { CallerToken, LeaseQuery, TokenOver } from "../../core/queue/queries.ts";
import { leasedJson } from "../../core/queue/task-view.ts";
import type { Waiter, Waiters } from "../../core/queue/waiters.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import { OVERLOADED } from "./refusals.ts";
import type { TaskNotes, WithNotes } from "./task-notes.ts";

/** No task came, and none could: the queue is paused. */
interface PausedLease {
  readonly paused: QueuePause;
}

export type LeaseAnswer = readonly string[] | PausedLease | QueueOverloaded | TokenOver;

interface WaitingLease {
  readonly token: string | undefined;
  readonly end: (answer: LeaseAnswer) => void;
  /** It is given no more tasks, and is answered by {@link finish}. */
  readonly settle: () => readonly Entry[];
  readonly finish: (withNotes: WithNotes) => void;
  readonly refuse: () => void;
}

export interface WaitingLeasesOptions {
  readonly waiters: Waiters;
  readonly payloadOf: (entry: Entry) => string;
  readonly submit: (changes: readonly QueueOperation[]) => void;
  readonly pause: () => QueuePause | undefined;
  readonly loads: HostLoads;
  /** Has the last sample of a host read, where tasks wait that need something of one; `undefined`: there is nothing to read. */
  readonly know: (host: string) => Promise<void> | undefined;
  /** Whether a token was deleted or has expired. */
  readonly isOver: (token: CallerToken | undefined) => boolean;
}

const TOKEN_OVER: TokenOver = { token_over: true };

/** Lease requests over plain HTTP that wait for tasks. */
export class WaitingLeases {
  readonly #options: WaitingLeasesOptions;
  /** Requests that the running transaction gave tasks to. */
  readonly #served = new Set<WaitingLease>();
  /** All requests that have no answer yet. */
  readonly #waiting = new Set<WaitingLease>();

  constructor(options: WaitingLeasesOptions) {
    this.#options = options;
  }

  /** @returns the tasks as JSON texts; none when no task came within `waitMs` */
  wait(query: LeaseQuery): Promise<LeaseAnswer> {
    const known = query.host === undefined ? undefined : this.#options.know(query.host);
    return known === undefined ? this.#wait(query) : known.then(() => this.#wait(query));
  }

  #wait({ recipient, max, leaseMs, waitMs, worker, token, ...claims }: LeaseQuery): Promise<LeaseAnswer> {
    const { waiters, payloadOf, submit, isOver, loads } = this.#options;
    const got: Entry[] = [];
    /** As they were when they were leased. */
    const texts: string[] = [];
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const settle = () => {
        if (timer !== undefined) clearTimeout(timer);
        this.#waiting.delete(waiting);
        waiters.remove(waiter);
        return got;
      };
      const end = (answer: LeaseAnswer) => {
        settle();
        resolve(answer);
      };
      const waiter: Waiter = {
        recipient,
        holder: `http:${crypto.randomUUID()}`,
        worker,
        leaseMs,
        ...placedBy(claims, loads),
        hasRoom: () => got.length < max && !isOver(token),
        give: (entry) => {
          got.push(entry);
          texts.push(leasedJson(entry, payloadOf(entry)));
          this.#served.add(waiting);
        },
      };
      const waiting: WaitingLease = {
        token: token?.id,
        end,
        settle,
        // Its lease is written: that the task is cancelled meanwhile its worker learns when it names the lease.
        finish: (withNotes) => resolve(got.map((entry, place) => withNotes(entry, texts[place] ?? ""))),
        refuse: () => end(OVERLOADED),
      };
      const begin = operationOf(
        // Only waits for its turn: a request must not overtake a worker that has waited longer.
        () => waiters.add(waiter),
        () => {
          if (got.length > 0) return;
          if (isOver(token)) end(TOKEN_OVER);
          else if (waitMs === 0) end(this.#none());
          else timer = setTimeout(() => end(isOver(token) ? TOKEN_OVER : this.#none()), waitMs);
        },
        () => end(OVERLOADED),
      );
      this.#waiting.add(waiting);
      submit([begin]);
    });
  }

  #none(): LeaseAnswer {
    const paused = this.#options.pause();
    return paused === undefined ? [] : { paused };
  }

  /** Ends the requests of a token that is no more: none of them gets a task. */
  closeToken(token: string): void {
    for (const waiting of this.#waiting) if (waiting.token === token) waiting.end(TOKEN_OVER);
  }

  /** Ends all requests without a task: the queue is gone. */
  endAll(): void {
    for (const waiting of this.#waiting) waiting.end([]);
  }

  /** Answers the requests that the transaction gave tasks to, after the transaction was written. */
  answerServed(notes: TaskNotes): void {
    const served = [...this.#served];
    this.#served.clear();
    const given = served.flatMap((waiting) => waiting.settle());
    if (given.length > 0)
      notes.with(given, (withNotes) => {
        for (const waiting of served) waiting.finish(withNotes);
      });
  }

  /** Refuses the requests that the transaction gave tasks to, after the transaction failed. */
  refuseServed(): void {
    for (const waiting of this.#served) waiting.refuse();
    this.#served.clear();
  }
}
