import { compilePatterns, type Matcher } from "../signals/pattern.ts";
import { lineName } from "../signals/signal-line.ts";

/** The end of a log. */
export interface PlaceInLog {
  readonly seq: number;
  /** Tells the log from every other, also of the same ecosystem. */
  readonly epoch: string;
}

/** What the log sends to a relay: every signal in `(from, through]` that the relay's links are subscribed to. */
export interface Delivery {
  readonly from: number;
  readonly through: number;
  /** Signals as JSON, in order. */
  readonly lines: readonly string[];
  /** Tells the log from every other, also of the same ecosystem. */
  readonly epoch: string;
}

export interface RelayFeedOptions {
  readonly head: () => number;
  readonly epoch: () => string;
  /** Reads a bounded part of the log. */
  readonly read: (after: number, matches: Matcher) => Pick<Delivery, "lines" | "through">;
  /** Resolves when the relay has sent the signals on, or knows that it has to read them. */
  readonly deliver: (delivery: Delivery) => Promise<void>;
  /** How far the relay's links have been served; `null`: none is subscribed. */
  readonly place: () => Promise<number | null>;
  /** Waits before a call that failed is made again. */
  readonly pause: (failures: number) => Promise<void>;
}

interface NewSegment {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lines: readonly string[];
  readonly names: readonly string[];
}

/** Characters that wait in memory for a relay; beyond them, and after a failure, signals are read from the log. */
const MAX_CHARS = 2 * 1024 * 1024;

/**
 * Sends one relay the signals to which its links are subscribed, once for all of them, one delivery at a time. What comes
 * during a delivery goes with the next one.
 *
 * A delivery whose answer was lost is sent again: the relay's links recognise what they have by its number. What the relay
 * never got shows in the `from` of the next delivery, and its links then read the log.
 */
export class RelayFeed {
  readonly #options: RelayFeedOptions;
  #patterns: readonly string[] = [];
  #matches: Matcher = () => false;
  /** The relay has everything up to here that its links are subscribed to; `undefined`: the relay has to be asked. */
  #from: number | undefined;
  #lines: string[] = [];
  #chars = 0;
  /** The lines that wait reach up to here. */
  #through = 0;
  /** The log has to be read after `#from`. */
  #behind = false;
  #running = false;

  /** @param patterns - those that the relay asked for in an earlier life of the log */
  constructor(options: RelayFeedOptions, patterns: readonly string[] = []) {
    this.#options = options;
    if (patterns.length === 0) return;
    this.#use(patterns);
    this.#behind = true;
  }

  get patterns(): readonly string[] {
    return this.#patterns;
  }

  /** Every signal after the present end of the log that matches one of the lists is sent. */
  setPatterns(patterns: readonly string[]): void {
    if (this.#patterns.length === 0) {
      this.#forgetWaiting();
      this.#behind = false;
      this.#from = this.#options.head();
    }
    this.#use(patterns);
  }

  publish(segments: readonly NewSegment[]): void {
    if (this.#patterns.length === 0) return;
    let due = false;
    for (const { lines, names, lastSeq } of segments) {
      if (!names.some(this.#matches)) continue;
      due = true;
      if (this.#behind || this.#from === undefined) continue;
      for (const line of lines) {
        if (!this.#matches(lineName(line))) continue;
        this.#lines.push(line);
        this.#chars += line.length;
      }
      this.#through = lastSeq;
    }
    if (this.#chars > MAX_CHARS) this.#readInstead();
    if (due) this.#run();
  }

  /** Sends what the relay may have missed while the log was not there. */
  resume(): void {
    if (this.#patterns.length > 0 && this.#behind) this.#run();
  }

  /** Where nothing is on its way: says that the relay's links have everything up to the end of the log. */
  get end(): Delivery | undefined {
    const epoch = this.#options.epoch();
    // Links that want nothing lack nothing.
    if (this.#patterns.length === 0) return { from: 0, through: this.#options.head(), lines: [], epoch };
    if (this.#running || this.#behind || this.#from === undefined) return undefined;
    return { from: this.#from, through: this.#options.head(), lines: [], epoch };
  }

  #use(patterns: readonly string[]): void {
    this.#patterns = patterns;
    this.#matches = patterns.length === 0 ? () => false : compilePatterns(patterns);
  }

  #readInstead(): void {
    this.#forgetWaiting();
    this.#behind = true;
  }

  #forgetWaiting(): void {
    this.#lines = [];
    this.#chars = 0;
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#deliverAll();
  }

  async #deliverAll(): Promise<void> {
    const { deliver, place, pause, head } = this.#options;
    for (let failures = 0; this.#patterns.length > 0 && (this.#behind || this.#lines.length > 0); ) {
      try {
        this.#from ??= (await place()) ?? head();
        const delivery = this.#next(this.#from);
        await deliver(delivery);
        this.#from = Math.max(this.#from ?? 0, delivery.through);
        failures = 0;
      } catch {
        this.#readInstead();
        await pause(++failures);
      }
    }
    // In the turn of the last look: what comes from now on starts anew.
    this.#running = false;
  }

  #next(from: number): Delivery {
    const epoch = this.#options.epoch();
    if (!this.#behind) {
      const lines = this.#lines;
      this.#forgetWaiting();
      return { from, through: this.#through, lines, epoch };
    }
    const { read, head } = this.#options;
    const { lines, through } = read(from, this.#matches);
    // In the same turn: what comes from now on waits for the next delivery.
    if (through >= head()) this.#behind = false;
    return { from, through: Math.max(from, through), lines, epoch };
  }
}
