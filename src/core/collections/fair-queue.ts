import { Rank, Ranking } from "./ranking.ts";

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
  readonly #senders = new Ranking<Part<Item>>();
  readonly #parts = new Map<string, Part<Item>>();
  readonly #before: (a: Item, b: Item) => boolean;
  #size = 0;

  /** @param before - the order of the items of one party; default: that of their arrival */
  constructor(before: (a: Item, b: Item) => boolean = () => true) {
    this.#before = before;
  }

  get size(): number {
    return this.#size;
  }

  add(item: Item, party: Party): Held<Item> {
    const list = this.#listOf(party);
    const node: Node<Item> = { item, party, held: true, list, previous: undefined, next: undefined };
    let previous = list.last;
    while (previous !== undefined && !this.#before(previous.item, item)) previous = previous.previous;
    insertAfter(list, previous, node);
    this.#size++;
    this.#senders.raise(list.part.rank);
    list.part.sources.raise(list.rank);
    return node;
  }

  /** Takes out an item; does nothing for one that has been taken out. */
  remove(held: Held<Item>): void {
    const node = held as Node<Item>;
    if (!node.held) return;
    const { list } = node;
    const { part } = list;
    node.held = false;
    unlink(list, node);
    this.#size--;
    this.#senders.lower(part.rank);
    part.sources.lower(list.rank);
    if (list.first === undefined) part.lists.delete(held.party.source);
    if (part.lists.size === 0) this.#parts.delete(held.party.sender);
  }

  /** The first item of the party that holds the most. */
  firstOfGreediest(): Held<Item> | undefined {
    return this.#senders.most?.sources.most?.first;
  }

  /** The last item of the party that holds the most. */
  lastOfGreediest(): Held<Item> | undefined {
    return this.#senders.most?.sources.most?.last;
  }

  /**
   * To whom an item of several parties is charged: the one whose sender has the fewest. So nobody makes another's item his
   * own by taking part in it.
   */
  leastOf(parties: readonly Party[]): Party | undefined {
    let [least] = parties;
    const count = ({ sender }: Party) => this.#parts.get(sender)?.rank.count ?? 0;
    for (const party of parties) if (least !== undefined && count(party) < count(least)) least = party;
    return least;
  }

  /** Number of items of a party. */
  of({ sender, source }: Party): number {
    return this.#parts.get(sender)?.lists.get(source)?.rank.count ?? 0;
  }

  /** All items, in no order. */
  *all(): Generator<Held<Item>> {
    for (const { lists } of this.#parts.values())
      for (const { first } of lists.values()) for (let node = first; node !== undefined; node = node.next) yield node;
  }

  #listOf({ sender, source }: Party): List<Item> {
    let part = this.#parts.get(sender);
    if (part === undefined) {
      part = new Part();
      this.#parts.set(sender, part);
    }
    let list = part.lists.get(source);
    if (list === undefined) {
      list = new List(part);
      part.lists.set(source, list);
    }
    return list;
  }
}

/** What one sender holds. */
class Part<Item> {
  readonly rank = new Rank<Part<Item>>(this);
  readonly sources = new Ranking<List<Item>>();
  readonly lists = new Map<string, List<Item>>();
}

/** What one sender holds of one source. */
class List<Item> {
  readonly rank = new Rank<List<Item>>(this);
  readonly part: Part<Item>;
  first: Node<Item> | undefined;
  last: Node<Item> | undefined;

  constructor(part: Part<Item>) {
    this.part = part;
  }
}

interface Node<Item> {
  readonly item: Item;
  readonly party: Party;
  readonly list: List<Item>;
  held: boolean;
  previous: Node<Item> | undefined;
  next: Node<Item> | undefined;
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
