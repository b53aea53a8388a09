import { Heap } from "../collections/heap.ts";
import { type Abilities, isOfHost } from "./needs.ts";
import { fits, NO_SKILLS, type Routed, readRoute, recipientOf, routeOf } from "./route.ts";
import { LEAST_URGENT, MOST_URGENT } from "./task.ts";
import type { WaitingPlace } from "./waiting-place.ts";

/** The fields of a task by which the ready queues order it. */
interface ReadyTask extends Routed {
  readonly seq: number;
  readonly priority: number;
  readonly createdMs: number;
}

/** Where the ready queues find the tasks of which they have the places. */
export interface ReadySource<Task> {
  /** Whether no task that names these limits is given out to the recipient now. Default: none is held back. */
  readonly isParked?: (task: Routed) => boolean;
  /** `false` for a tombstone. Reads nothing. */
  isReady(seq: number): boolean;
  /** @param next - places of tasks that will mostly be asked for next */
  read(seq: number, next: readonly number[]): Task;
}

/** The ready tasks of one route. */
interface RouteQueues {
  /** One heap for each priority, most urgent first, with the positions of arrival. */
  readonly byPriority: Heap<number>[];
  ready: number;
  /** Tasks in the heaps that are not ready any more. */
  tombstones: number;
}

/** Tasks that are read together. */
const AHEAD = 64;

/**
 * Tasks that can be leased: one queue for each route and priority, each in the order of arrival. A task that leaves
 * from the middle (cancelled, expired) stays as a tombstone until it reaches the front of its queue, or until the
 * tombstones of the recipient outnumber its tasks. So no operation looks at more than the fronts of the queues, and a task
 * far down need not be in memory.
 */
export class ReadyQueues<Task extends ReadyTask> {
  readonly #byRoute = new Map<string, RouteQueues>();
  /** By recipient, the routes of tasks that need skills, or name limits. */
  readonly #needing = new Map<string, Map<string, Routed>>();
  readonly #source: ReadySource<Task>;
  #size = 0;
  /** Routes of tasks that need something of a host. */
  #ofHosts = 0;

  constructor(source: ReadySource<Task>) {
    this.#source = source;
  }

  get size(): number {
    return this.#size;
  }

  add(task: Pick<ReadyTask, "seq" | "recipient" | "needs" | "limits" | "priority">): void {
    const { seq, priority } = task;
    this.addPlace({ seq, priority, route: routeOf(task) });
  }

  /** As {@link add}, of a task of which no more is known than its place. */
  addPlace({ seq, route, priority }: Pick<WaitingPlace, "seq" | "route" | "priority">): void {
    const queues = this.#byRoute.get(route) ?? this.#begin(route);
    queues.byPriority[priority - MOST_URGENT]?.push(seq, seq);
    queues.ready++;
    this.#size++;
  }

  /** The line of the first task of a route. */
  #begin(route: string): RouteQueues {
    const byPriority = Array.from({ length: LEAST_URGENT }, () => new Heap<number>());
    const queues = { byPriority, ready: 0, tombstones: 0 };
    this.#byRoute.set(route, queues);
    const routed = readRoute(route);
    const { recipient, needs } = routed;
    if (needs?.some(isOfHost) === true) this.#ofHosts++;
    if (route !== recipient)
      this.#needing.set(recipient, (this.#needing.get(recipient) ?? new Map()).set(route, routed));
    return queues;
  }

  /** Turns a task that left without being leased into a tombstone. The source must not call the task ready by now. */
  remove(task: Routed): void {
    const queues = this.#byRoute.get(routeOf(task));
    if (queues === undefined) return;
    this.#decrement(task, queues);
    queues.tombstones++;
    if (queues.tombstones < 64 || queues.tombstones < queues.ready) return;
    for (const heap of queues.byPriority) heap.retain((seq) => this.#source.isReady(seq));
    queues.tombstones = 0;
  }

  /** Whether a task of the recipient is ready that needs no skills, and whose limits are open. */
  hasFor(recipient: string): boolean {
    return this.routesFor([recipient], NO_SKILLS).some((route) => this.#byRoute.has(route));
  }

  /** Names of the limits that ready tasks name. */
  get limits(): ReadonlySet<string> {
    const routes = [...this.#needing.values()].flatMap((needing) => [...needing.values()]);
    return new Set(routes.flatMap(({ limits = [] }) => limits));
  }

  /** Whether a ready task needs something of a host. */
  get placing(): boolean {
    return this.#ofHosts > 0;
  }

  /** The lines of ready tasks that need something of a host: the first of each, and how many wait in it. */
  *linesOfHosts(): Generator<{ readonly task: Task; readonly ready: number }> {
    if (!this.placing) return;
    for (const routes of this.#needing.values())
      for (const [route, { needs = [] }] of routes) {
        const line = needs.some(isOfHost) ? this.#byRoute.get(route) : undefined;
        const fronts = line?.byPriority.flatMap((heap) => this.#front(heap) ?? []) ?? [];
        if (line !== undefined && fronts.length > 0)
          yield { task: this.#source.read(Math.min(...fronts), []), ready: line.ready };
      }
  }

  /** The lines of tasks that nobody is given now, because of their limits: what they name, and how many wait in each. */
  *parkedLines(): Generator<{ readonly task: Routed; readonly ready: number }> {
    for (const routes of this.#needing.values())
      for (const [route, task] of routes) {
        const ready = this.#source.isParked?.(task) === true ? this.#byRoute.get(route)?.ready : undefined;
        if (ready !== undefined) yield { task, ready };
      }
  }

  /** Recipients that have a ready task. */
  recipients(): Iterable<string> {
    return new Set([...this.#byRoute.keys()].map(recipientOf));
  }

  /** The routes of these recipients whose tasks a worker with these skills may do. */
  routesFor(recipients: readonly string[], skills: Abilities): readonly string[] {
    if (this.#needing.size === 0) return recipients;
    const isOpen = (task: Routed) => this.#source.isParked?.(task) !== true;
    return recipients.flatMap((recipient) => {
      const needing = [...(this.#needing.get(recipient) ?? [])];
      const fitting = needing.filter(([, routed]) => fits(routed.needs, skills) && isOpen(routed));
      return [recipient, ...fitting.map(([route]) => route)];
    });
  }

  /**
   * Removes and returns the most urgent task, and the oldest of the equally urgent ones.
   *
   * @param routes - whose queues to look at
   * @param ageingMs - each time this passes, a waiting task gains one step of priority; `null`: never
   */
  take(routes: readonly string[], nowMs: number, ageingMs: number | null): Task | undefined {
    let best: Heap<number> | undefined;
    let bestSeq = 0;
    let bestRank = 0;
    for (const route of routes) {
      const heaps = this.#byRoute.get(route)?.byPriority ?? [];
      for (let place = 0; place < heaps.length; place++) {
        const heap = heaps[place] as Heap<number>;
        const seq = this.#front(heap);
        if (seq === undefined) continue;
        const rank =
          ageingMs === null ? place + MOST_URGENT : rankOf(this.#source.read(seq, heap.peek(AHEAD)), nowMs, ageingMs);
        if (best === undefined || rank < bestRank || (rank === bestRank && seq < bestSeq)) {
          best = heap;
          bestSeq = seq;
          bestRank = rank;
        }
        // Without ageing the heaps are in the order of urgency: the first one with a task holds the route's best.
        if (ageingMs === null) break;
      }
    }
    if (best === undefined) return undefined;
    const task = this.#source.read(bestSeq, best.peek(AHEAD));
    best.pop();
    const queues = this.#byRoute.get(routeOf(task));
    if (queues !== undefined) this.#decrement(task, queues);
    return task;
  }

  /** The position of the task that arrived first, of all recipients, and those that come next in its queue. */
  oldest(): { readonly seq: number; readonly next: readonly number[] } | undefined {
    let oldest: number | undefined;
    let from: Heap<number> | undefined;
    for (const { byPriority } of this.#byRoute.values()) {
      for (const heap of byPriority) {
        const front = this.#front(heap);
        if (front === undefined || (oldest !== undefined && front > oldest)) continue;
        oldest = front;
        from = heap;
      }
    }
    return oldest === undefined ? undefined : { seq: oldest, next: from?.peek(AHEAD) ?? [] };
  }

  /** Drops the heaps of a route with its last task, so that recipients that come and go leave nothing behind. */
  #decrement(task: Routed, queues: RouteQueues): void {
    queues.ready--;
    this.#size--;
    if (queues.ready > 0) return;
    const route = routeOf(task);
    this.#byRoute.delete(route);
    if (task.needs?.some(isOfHost) === true) this.#ofHosts--;
    const needing = this.#needing.get(task.recipient);
    if (needing?.delete(route) === true && needing.size === 0) this.#needing.delete(task.recipient);
  }

  #front(heap: Heap<number>): number | undefined {
    while (heap.first !== undefined && !this.#source.isReady(heap.first)) heap.pop();
    return heap.first;
  }
}

/** Priority after ageing. A clock that was set back makes no task younger than new. */
function rankOf(task: ReadyTask, nowMs: number, ageingMs: number): number {
  const steps = Math.floor(Math.max(0, nowMs - task.createdMs) / ageingMs);
  return Math.max(MOST_URGENT, task.priority - steps);
}
