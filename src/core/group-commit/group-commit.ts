export interface GroupCommitOptions<Item> {
  /** Writes a group in one transaction and answers its items in their order. Does not throw. */
  readonly commit: (items: readonly Item[]) => void;
  /** Resolves when all items that have arrived by now were given to {@link GroupCommit.add}. */
  readonly turn: () => Promise<void>;
  /** Waits while a group gathers during a burst; about a millisecond. */
  readonly linger: () => Promise<void>;
  /** Called at once for an item that exceeds the capacity. */
  readonly refuse: (item: Item) => void;
  /** Weight of an item, such as the signals of an append or the tasks of a frame. Default 1. */
  readonly weigh?: (item: Item) => number;
  /** Memory that an item takes while it waits, in bytes. Default 0: items are small. */
  readonly bytes?: (item: Item) => number;
  /** Total weight of waiting items beyond which new items are refused. Default 50,000. */
  readonly capacity?: number;
}

/**
 * Groups that are committed before a wait has ended. A sender that is answered at once sends at once, and the runtime reads
 * its socket as long as something lies there: others are looked at when that sender has to wait.
 */
const FORCED_IN_A_WAIT = 4;
/**
 * The same for groups that are full by weight, which take longest. A caller over HTTP needs several turns: behind four such
 * groups in each, its answer took 17 ms at the median, behind one 10.
 */
const HEAVY_IN_A_WAIT = 1;

const ENOUGH = { weight: 256, items: 40, bytes: 2 * 1024 * 1024 } as const;

/** Fewer would forget how many senders there are when a few of them come early. */
const REMEMBERED_GROUPS = 4;

/**
 * One wait of so many is used up, however many come meanwhile. A group that is committed as soon as it is as large as those
 * before shows nothing of the senders that come a moment later: without such waits groups could only become smaller.
 */
const WHOLE_WAIT_EVERY = 16;

/** What waits takes at most about so many bytes, however often groups were committed. */
const HELD_BYTES = 8 * 1024 * 1024;

/** Whether a group is so large that it is committed without waiting longer. */
export function isEnough(weight: number, items: number, bytes: number): boolean {
  return weight >= ENOUGH.weight || items >= ENOUGH.items || bytes >= ENOUGH.bytes;
}

/**
 * Commits items in groups. A lone item is committed at once, and so are its successors while each waits for the answer to
 * the one before. Items that arrive while a commit is being written wait until that turn of the event loop ends. More than
 * one of them is a burst: the next groups linger about a millisecond, so that sixty-four concurrent senders share one
 * transaction and one flush, and end early when as many have come as before. The burst is over after the first linger that gathers one item at most.
 */
export class GroupCommit<Item> {
  readonly #options: Required<GroupCommitOptions<Item>>;
  #waiting: Item[] = [];
  #weight = 0;
  #bytes = 0;
  #gathering = false;
  /** Items committed since gathering began. */
  #gathered = 0;
  /** Items of the last groups. */
  readonly #sizes: number[] = [];
  /** Waits during bursts so far. */
  #waits = 0;
  /** Groups committed since gathering began, because they were large enough. */
  #forced = 0;
  /** One of them was for its weight. */
  #heavy = false;

  constructor(options: GroupCommitOptions<Item>) {
    this.#options = { capacity: 50_000, weigh: () => 1, bytes: () => 0, ...options };
  }

  /** Items are committed in the order of the calls, a lone one before this call returns. */
  add(item: Item): void {
    if (this.#accept(item)) this.#go();
  }

  /** Items that have waited for each other already: they are one group, unless others wait. */
  addAll(items: readonly Item[]): void {
    if (items.filter((item) => this.#accept(item)).length > 0) this.#go();
  }

  #accept(item: Item): boolean {
    const weight = this.#options.weigh(item);
    if (this.#weight + weight > this.#options.capacity) {
      this.#options.refuse(item);
      return false;
    }
    this.#waiting.push(item);
    this.#weight += weight;
    if (this.#gathering) this.#bytes += this.#options.bytes(item);
    return true;
  }

  #go(): void {
    if (!this.#gathering) {
      this.#commit();
      void this.#gather(this.#options.turn);
    } else if (this.#isEnough && (this.#mayForce || this.#bytes >= HELD_BYTES)) {
      this.#forced++;
      if (this.#weight >= ENOUGH.weight) this.#heavy = true;
      this.#commit();
    }
  }

  /**
   * Large enough for a transaction and a flush of its own, or as large as the groups before: senders that each wait for an
   * answer send nothing more. Waiting longer would only leave the processor idle, and what waits takes memory.
   */
  get #isEnough(): boolean {
    const items = this.#waiting.length;
    const before = Math.max(...this.#sizes);
    const asBefore = before > 1 && items >= before && this.#waits % WHOLE_WAIT_EVERY !== 0;
    return asBefore || isEnough(this.#weight, items, this.#bytes);
  }

  get #mayForce(): boolean {
    return this.#forced < (this.#heavy ? HEAVY_IN_A_WAIT : FORCED_IN_A_WAIT);
  }

  async #gather(wait: () => Promise<void>): Promise<void> {
    this.#gathering = true;
    this.#gathered = 0;
    this.#forced = 0;
    this.#heavy = false;
    if (wait === this.#options.linger) this.#waits++;
    await wait();
    const burst = this.#gathered + this.#waiting.length > 1;
    this.#gathering = false;
    // Senders of heavy items have as many under way as they may, and send the next ones when these are answered: beyond the
    // turn that others need, a moment is only lost.
    const next = this.#heavy ? this.#options.turn : this.#options.linger;
    if (burst && wait === this.#options.turn && !this.#heavy) return this.#gather(next);
    if (this.#waiting.length > 0) this.#commit(this.#mayForce ? undefined : ENOUGH.items);
    if (burst) await this.#gather(next);
  }

  /**
   * @param most - commits so many items where less than as many again would stay: senders that had to let others have their
   * turn have everything under way waiting here, and with all of it in one group nothing would be done while that is flushed
   */
  #commit(most?: number): void {
    const items = this.#waiting.length;
    const splits = most !== undefined && items > most && items < 2 * most && this.#weight < ENOUGH.weight;
    const group = splits ? this.#waiting.slice(0, most) : this.#waiting;
    this.#waiting = splits ? this.#waiting.slice(most) : [];
    this.#weight = sum(this.#waiting, this.#options.weigh);
    this.#bytes = sum(this.#waiting, this.#options.bytes);
    this.#gathered += group.length;
    if (this.#sizes.push(group.length) > REMEMBERED_GROUPS) this.#sizes.shift();
    this.#options.commit(group);
  }
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
