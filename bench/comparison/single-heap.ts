import { Heap } from "../../src/core/collections/heap.ts";
import { type Report, rounded } from "../figure.ts";

interface HeapTask {
  readonly recipient: string;
  readonly key: number;
}

/** An earlier queue: one heap for all recipients, emptied and filled again to find a task of one recipient. */
class SingleHeap {
  readonly #heap = new Heap<HeapTask>();
  #count = 0;

  put(recipient: string, priority: number): void {
    const task = { recipient, key: priority * 1e12 + this.#count++ };
    this.#heap.push(task.key, task);
  }

  get(recipient: string): HeapTask | undefined {
    const others: HeapTask[] = [];
    let found: HeapTask | undefined;
    for (let task = this.#heap.pop(); task !== undefined; task = this.#heap.pop()) {
      if (found === undefined && task.recipient === recipient) found = task;
      else others.push(task);
    }
    for (const task of others) this.#heap.push(task.key, task);
    return found;
  }
}

/** What a task costs there: nothing is written to a disk, and yet a backlog of others' tasks decides. */
export function singleHeap(report: Report, millis = 500): void {
  const rates = [0, 1_000, 100_000].map((backlog) => {
    const queue = new SingleHeap();
    for (let n = 0; n < backlog; n++) queue.put("somebody-else", 1 + (n % 10));
    const started = performance.now();
    let tasks = 0;
    while (performance.now() - started < millis) {
      queue.put("coder", 5);
      queue.get("coder");
      tasks++;
    }
    return { backlog, perSecond: (tasks * 1_000) / (performance.now() - started) };
  });
  const alone = rates[0]?.perSecond ?? Number.NaN;
  for (const { backlog, perSecond } of rates.slice(1)) {
    report({
      bench: "queue",
      figure: `single_heap_backlog_ratio_${backlog}`,
      value: rounded(perSecond / alone),
      unit: "of the throughput without",
      tasks_per_second: rounded(perSecond),
      without_backlog: rounded(alone),
    });
  }
}
