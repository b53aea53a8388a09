import type { LeaseQuery, QueueOverloaded } from "../../core/queue/api.ts";
import type { Entry } from "../../core/queue/entry.ts";
import { leasedJson } from "../../core/queue/task-view.ts";
import type { Waiter, Waiters } from "../../core/queue/waiters.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import { OVERLOADED } from "./refusals.ts";

interface WaitingLease {
  readonly finish: () => void;
  readonly refuse: () => void;
}

export interface WaitingLeasesOptions {
  readonly waiters: Waiters;
  readonly payloadOf: (entry: Entry) => string;
  readonly submit: (changes: readonly QueueOperation[]) => void;
}

/** Lease requests over plain HTTP that wait for tasks. */
export class WaitingLeases {
  readonly #options: WaitingLeasesOptions;
  /** Requests that the running transaction gave tasks to. */
  readonly #served = new Set<WaitingLease>();

  constructor(options: WaitingLeasesOptions) {
    this.#options = options;
  }

  /** @returns the tasks as JSON texts; none when no task came within `waitMs` */
  wait({ recipient, max, leaseMs, waitMs, worker }: LeaseQuery): Promise<readonly string[] | QueueOverloaded> {
    const { waiters, payloadOf, submit } = this.#options;
    const got: Entry[] = [];
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (answer: readonly string[] | QueueOverloaded) => {
        if (timer !== undefined) clearTimeout(timer);
        waiters.remove(waiter);
        resolve(answer);
      };
      const waiter: Waiter = {
        recipient,
        holder: `http:${crypto.randomUUID()}`,
        worker,
        leaseMs,
        hasRoom: () => got.length < max,
        give: (entry) => {
          got.push(entry);
          this.#served.add(waiting);
        },
      };
      const waiting: WaitingLease = {
        finish: () => end(got.map((entry) => leasedJson(entry, payloadOf(entry)))),
        refuse: () => end(OVERLOADED),
      };
      const begin = operationOf(
        // Only waits for its turn: a request must not overtake a worker that has waited longer.
        () => waiters.add(waiter),
        () => {
          if (got.length > 0) return;
          if (waitMs === 0) end([]);
          else timer = setTimeout(() => end([]), waitMs);
        },
        () => end(OVERLOADED),
      );
      submit([begin]);
    });
  }

  /** Answers the requests that the transaction gave tasks to, after the transaction was written. */
  answerServed(): void {
    for (const waiting of this.#served) waiting.finish();
    this.#served.clear();
  }

  /** Refuses the requests that the transaction gave tasks to, after the transaction failed. */
  refuseServed(): void {
    for (const waiting of this.#served) waiting.refuse();
    this.#served.clear();
  }
}
