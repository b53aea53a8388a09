/** Who holds something: a sender, and one of the sources that the sender speaks for. */
export interface Party {
  /** `token:<id>` or `host:<name>`; empty: the edge itself. */
  readonly sender: string;
  readonly source: string;
}

/** An item in a {@link FairQueue}. */
export interface Held<Item> {
  readonly item: Item;
  readonly party: Party;
  /** The queue still holds the item. */
  readonly held: boolean;
}

/**
 * Holds the items of many parties, and finds the one that has to give way where there are too many: of the sender with
 * the most items the source with the most. So nobody loses an item while another holds more.
 *
 * Adding, removing and finding cost the same however many items, senders and sources there are.
 */
export class FairQueue<Item> {
  readonly #senders = new Ranking();
  readonly #parts = new Map<string, { readonly sources: Ranking; readonly lists: Map<string, List<Item>> }>();
  readonly #before: (a: Item, b: Item) => boolean;

  /** @param before - the order of the items of one party; default: that of their arrival */
  constructor(before: (a: Item, b: Item) => boolean = () => true) {
    this.#before = before;
  }

  get size(): number {
    return this.#senders.total;
  }

  add(item: Item, party: Party): Held<Item> {
    const { sender, source } = party;
    let part = this.#parts.get(sender);
    if (part === undefined) {
      part = { sources: new Ranking(), lists: new Map() };
      this.#parts.set(sender, part);
    }
    const list = part.lists.get(source) ?? {};
    part.lists.set(source, list);
    this.#senders.add(sender);
    part.sources.add(source);
    const node: Node<Item> = { item, party, held: true };
    let previous = list.last;
    while (previous !== undefined && !this.#before(previous.item, item)) previous = previous.previous;
    insertAfter(list, previous, node);
    return node;
  }

  /** Takes out an item; does nothing for one that has been taken out. */
  remove(held: Held<Item>): void {
    const { sender, source } = held.party;
    const part = this.#parts.get(sender);
    const list = part?.lists.get(source);
    const node = held as Node<Item>;
    if (part === undefined || list === undefined || !node.held) return;
    node.held = false;
    unlink(list, node);
    this.#senders.remove(sender);
    part.sources.remove(source);
    if (list.first === undefined) part.lists.delete(source);
    if (part.lists.size === 0) this.#parts.delete(sender);
  }

  /** The first item of the party that holds the most. */
  firstOfGreediest(): Held<Item> | undefined {
    return this.#greediest()?.first;
  }

  /** The last item of the party that holds the most. */
  lastOfGreediest(): Held<Item> | undefined {
    return this.#greediest()?.last;
  }

  /**
   * To whom an item of several parties is charged: the one whose sender has the fewest. So nobody makes another's item his
   * own by taking part in it.
   */
  leastOf(parties: readonly Party[]): Party | undefined {
    let [least] = parties;
    for (const party of parties)
      if (least !== undefined && this.#senders.of(party.sender) < this.#senders.of(least.sender)) least = party;
    return least;
  }

  /** Number of items of a party. */
  of({ sender, source }: Party): number {
    return this.#parts.get(sender)?.sources.of(source) ?? 0;
  }

  /** All items, in no order. */
  *all(): Generator<Held<Item>> {
    for (const { lists } of this.#parts.values())
      for (const { first } of lists.values()) for (let node = first; node !== undefined; node = node.next) yield node;
  }

  #greediest(): List<Item> | undefined {
    const part = this.#parts.get(this.#senders.most ?? "");
    return part?.lists.get(part.sources.most ?? "");
  }
}

interface Node<Item> {
  readonly item: Item;
  readonly party: Party;
  held: boolean;
  previous?: Node<Item> | undefined;
  next?: Node<Item> | undefined;
}

interface List<Item> {
  first?: Node<Item> | undefined;
  last?: Node<Item> | undefined;
}

function insertAfter<Item>(list: List<Item>, previous: Node<Item> | undefined, node: Node<Item>): void {
  const next = previous === undefined ? list.first : previous.next;
  node.previous = previous;
  node.next = next;
  if (previous === undefined) list.first = node;
  else previous.next = node;
  if (next === undefined) list.last = node;
  else next.previous = node;
}

function unlink<Item>(list: List<Item>, { previous, next }: Node<Item>): void {
  if (previous === undefined) list.first = next;
  else previous.next = next;
  if (next === undefined) list.last = previous;
  else next.previous = previous;
}

/** Counts by key, and the key with the highest count: counts change by one, so the highest is found without a search. */
class Ranking {
  readonly #counts = new Map<string, number>();
  readonly #keys = new Map<number, Set<string>>();
  #highest = 0;
  total = 0;

  /** Of several keys, the one that reached the count first. */
  get most(): string | undefined {
    for (const key of this.#keys.get(this.#highest) ?? []) return key;
    return undefined;
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    const count = this.of(key) + 1;
    this.#move(key, count);
    if (count > this.#highest) this.#highest = count;
    this.total++;
  }

  remove(key: string): void {
    const count = this.of(key) - 1;
    this.#move(key, count);
    if (!this.#keys.has(this.#highest)) this.#highest--;
    this.total--;
  }

  #move(key: string, count: number): void {
    const before = this.of(key);
    const others = this.#keys.get(before);
    others?.delete(key);
    if (others?.size === 0) this.#keys.delete(before);
    if (count === 0) {
      this.#counts.delete(key);
      return;
    }
    this.#counts.set(key, count);
    const equals = this.#keys.get(count) ?? new Set();
    this.#keys.set(count, equals.add(key));
  }
}
