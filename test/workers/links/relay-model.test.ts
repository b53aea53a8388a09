import { describe, expect, it } from "vitest";
import { type Delivery, RelayFeed } from "../../../src/core/links/relay-feed.ts";
import { InFlight } from "../../../src/core/signals/log/in-flight.ts";
import { Subscription } from "../../../src/core/signals/log/subscription.ts";
import { compilePatterns } from "../../../src/core/signals/pattern.ts";
import { lineName } from "../../../src/core/signals/signal-line.ts";
import { RelaySubscriptions } from "../../../src/durable-objects/links/relay-subscriptions.ts";
import { type Connection, newConnection } from "../../../src/durable-objects/signals/connection.ts";
import { SubscribeFrames } from "../../../src/durable-objects/signals/subscribe-frames.ts";
import { SubscriberFeed } from "../../../src/durable-objects/signals/subscriber-feed.ts";
import fc from "../../fast-check.ts";

const NAMES = ["Q_A", "Q_B", "Q_C"] as const;
const PATTERNS = [["Q_A"], ["Q_B"], ["Q_*"], ["!*"], ["Q_A", "Q_C"]] as const;

type Step =
  | { readonly do: "append"; readonly name: string; readonly count: number }
  | {
      readonly do: "subscribe";
      readonly link: number;
      readonly patterns: readonly string[];
      readonly from: "now" | "seen";
    }
  | { readonly do: "close"; readonly link: number }
  | { readonly do: "hibernate" | "kill the log" | "settle" };

/** What one link was sent since it subscribed last: it forgets what it was sent before, as a new reader would. */
interface Reader {
  readonly connection: Connection;
  patterns: readonly string[] | undefined;
  /** Place up to which the reader has everything. */
  seen: number;
  got: number[];
  began: number;
}

/** A log, a relay and its links, with calls between them that may fail before or after they have had their effect. */
class World {
  readonly lines: string[] = [];
  stored: readonly string[] = [];
  feed: RelayFeed;
  readonly readers = new Map<number, Reader>();
  #subscriptions: RelaySubscriptions;
  #links: SubscriberFeed;
  #frames: SubscribeFrames;
  readonly #accounts = new InFlight();
  #failures: readonly number[];
  #calls = 0;
  #busy = 0;
  #epoch = 0;

  constructor(failures: readonly number[]) {
    this.#failures = failures;
    this.feed = this.#newFeed();
    [this.#subscriptions, this.#links, this.#frames] = this.#newRelay();
  }

  append(name: string, count: number): void {
    const firstSeq = this.lines.length + 1;
    const lines = Array.from({ length: count }, (_, n) => `{"seq":${firstSeq + n},"id":"i${n}","signal":"${name}"}`);
    this.lines.push(...lines);
    this.feed.publish([{ firstSeq, lastSeq: this.lines.length, lines, names: [name] }]);
  }

  subscribe(link: number, patterns: readonly string[], from: "now" | "seen"): void {
    const reader = this.readers.get(link) ?? this.#open(link);
    const after = from === "now" || reader.seen < 0 ? null : reader.seen;
    reader.patterns = undefined;
    this.#frames.receive(reader.connection, { type: "subscribe", after, signals: [...patterns] });
    this.#begun(reader, patterns, after);
  }

  close(link: number): void {
    const reader = this.readers.get(link);
    this.readers.delete(link);
    if (reader !== undefined) this.#links.closed(reader.connection);
  }

  /** The relay's memory is lost, and what the sockets hold is not. */
  hibernate(): void {
    if (this.#busy > 0) return;
    for (const reader of this.readers.values()) {
      const { subscription } = reader.connection;
      if (subscription !== undefined) reader.connection.subscription = new Subscription(subscription.snapshot());
    }
    [this.#subscriptions, this.#links, this.#frames] = this.#newRelay();
    this.#subscriptions.restore();
    this.#links.tick(this.#connections(), Date.now());
  }

  killLog(): void {
    this.#epoch++;
    this.feed = this.#newFeed();
    this.feed.resume();
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#busy > 0) quiet = 0;
    }
  }

  async end(): Promise<void> {
    this.#failures = [];
    await this.settle();
    // As the minute's round does.
    this.feed.resume();
    const { end } = this.feed;
    if (end !== undefined) this.#deliver(end);
    this.#links.tick(this.#connections(), Date.now());
    await this.settle();
  }

  expected(reader: Reader): number[] {
    const matches = compilePatterns(reader.patterns ?? ["!*"]);
    return this.lines.flatMap((line, place) =>
      place + 1 > reader.began && matches(lineName(line)) ? [place + 1] : [],
    );
  }

  #begun(reader: Reader, patterns: readonly string[], after: number | null): void {
    const { connection } = reader;
    const mine = connection.subscribing ?? Promise.resolve();
    this.#busy++;
    void mine.then(() => {
      this.#busy--;
      // What came before belongs to the former subscription. Nothing has come of this one but the end of the log.
      if (after !== null) {
        reader.began = after;
        reader.got = [];
      }
      reader.patterns = patterns;
    });
  }

  #open(link: number): Reader {
    const socket = { serializeAttachment: () => undefined, send: () => undefined, close: () => undefined };
    const token = { id: "t", expiresMs: null, sources: undefined };
    const flow = { account: this.#accounts.open("relay", "t"), progressMs: 0, prompted: false };
    const connection = newConnection(socket as unknown as WebSocket, `h${link}`, 0, token, flow);
    const reader: Reader = { connection, patterns: undefined, seen: -1, got: [], began: 0 };
    this.readers.set(link, reader);
    return reader;
  }

  #connections(): Connection[] {
    return [...this.readers.values()].map(({ connection }) => connection);
  }

  #transmit(connection: Connection, text: string): void {
    const reader = [...this.readers.values()].find((one) => one.connection === connection);
    const frame: { type: string; last: number; signals: { seq: number }[] } = JSON.parse(text);
    if (reader === undefined || frame.type !== "signals") return;
    if (frame.signals.length === 0) {
      reader.began = frame.last;
      reader.seen = frame.last;
      reader.got = [];
      return;
    }
    reader.got.push(...frame.signals.map(({ seq }) => seq));
    reader.seen = frame.last;
    setTimeout(() => this.#links.seen(connection, frame.last), 0);
  }

  /** A call between objects. */
  async #call<Result>(effect: () => Result): Promise<Result> {
    const fate = this.#failures[this.#calls++] ?? 0;
    const epoch = this.#epoch;
    this.#busy++;
    try {
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (fate === 1) throw new Error("failed before");
      const result = effect();
      if (fate === 3) await new Promise((resolve) => setTimeout(resolve, 1));
      if (fate === 2 || epoch !== this.#epoch) throw new Error("failed after");
      return result;
    } finally {
      this.#busy--;
    }
  }

  #newFeed(): RelayFeed {
    const epoch = this.#epoch;
    const alive = () => {
      if (epoch !== this.#epoch) return new Promise<never>(() => undefined);
      return undefined;
    };
    return new RelayFeed(
      {
        head: () => this.lines.length,
        epoch: () => "e",
        read: (after, matches) => {
          const through = Math.min(this.lines.length, after + 3);
          return { lines: this.lines.slice(after, through).filter((line) => matches(lineName(line))), through };
        },
        deliver: async (delivery) => {
          await alive();
          await this.#call(() => this.#deliver(delivery));
        },
        place: async () => {
          await alive();
          return this.#call(() => this.#place());
        },
        pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
      },
      this.stored,
    );
  }

  #deliver({ from, through, lines }: Delivery): void {
    this.#subscriptions.reached(through);
    const names = [...new Set(lines.map(lineName))];
    this.#links.publish(this.#connections(), [{ firstSeq: from + 1, lastSeq: through, lines, names }]);
  }

  #place(): number | null {
    const places = this.#connections().flatMap(({ subscription, behind }) =>
      subscription === undefined || behind ? [] : [subscription.sent],
    );
    return places.length === 0 ? null : Math.min(...places);
  }

  #newRelay(): [RelaySubscriptions, SubscriberFeed, SubscribeFrames] {
    const subscriptions = new RelaySubscriptions({
      subscribe: (patterns) =>
        this.#call(() => {
          this.stored = patterns;
          this.feed.setPatterns(patterns);
          return this.lines.length;
        }),
      connections: () => this.#connections(),
      pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
    });
    const links: SubscriberFeed = new SubscriberFeed({
      read: (after, { matches }, limit) =>
        this.#call(() => {
          const end = subscriptions.head;
          const found = this.lines
            .slice(after, end)
            .flatMap((line, place) => (matches(lineName(line)) ? [{ line, seq: after + place + 1 }] : []))
            .slice(0, Math.min(limit, 2));
          const through = found.length === 2 ? (found.at(-1)?.seq ?? end) : end;
          return { lines: found.map(({ line }) => line), through };
        }),
      head: () => subscriptions.head,
      transmit: (connection, frame) => this.#transmit(connection, frame),
      wakeBy: () => void setTimeout(() => links.tick(this.#connections(), Date.now()), 0),
    });
    const frames = new SubscribeFrames({
      feed: links,
      pace: undefined,
      transmit: (connection, frame) => this.#transmit(connection, frame),
      subscribing: (connection, patterns) => subscriptions.subscribing(connection, patterns),
      isOpen: (connection) => this.#connections().includes(connection),
      refuse: () => undefined,
      cut: (connection) => {
        for (const [link, reader] of this.readers) if (reader.connection === connection) this.close(link);
      },
    });
    return [subscriptions, links, frames];
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      name: fc.constantFrom(...NAMES),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("subscribe" as const),
      link: fc.nat(3),
      patterns: fc.constantFrom(...PATTERNS),
      from: fc.constantFrom("now" as const, "seen" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), link: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("hibernate" as const, "kill the log" as const, "settle" as const) }),
  },
);

async function play(steps: readonly Step[], failures: readonly number[]): Promise<World> {
  const world = new World(failures);
  for (const one of steps) {
    if (one.do === "append") world.append(one.name, one.count);
    else if (one.do === "subscribe") {
      // One reader subscribes anew once it knows where it stands.
      await world.settle();
      world.subscribe(one.link, one.patterns, one.from);
    } else if (one.do === "close") world.close(one.link);
    else if (one.do === "hibernate") {
      await world.settle();
      world.hibernate();
    } else if (one.do === "kill the log") world.killLog();
    else await world.settle();
  }
  await world.end();
  return world;
}

describe("a relay of links", () => {
  it("sends each link everything that it is subscribed to, once and in order, whatever fails", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }),
        async (steps, failures) => {
          const world = await play(steps, failures);
          for (const reader of world.readers.values()) {
            const since = reader.got.filter((seq) => seq > reader.began);
            expect(since).toEqual(world.expected(reader));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("takes a signal from the log once, for all links that are subscribed to it", async () => {
    const world = new World([]);
    for (const link of [0, 1, 2]) world.subscribe(link, ["Q_A"], "now");
    await world.settle();
    world.append("Q_A", 2);
    world.append("Q_B", 5);
    await world.settle();
    expect([...world.readers.values()].map(({ got }) => got)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(world.stored).toEqual(["Q_A"]);
  });
});
