import { createInterface } from "node:readline";
import type { Client } from "../../../src/client/client.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import { limitsAround } from "../../../src/core/json/limits.ts";
import { readJsonKeeping, refusalText } from "../../../src/core/json/read-json.ts";
import { LIMITS } from "../../../src/core/signals/limits.ts";
import type { SignalInput } from "../../../src/core/signals/signal.ts";
import { explain, Failure } from "../../failure.ts";
import { print, remark } from "../../output.ts";

export interface EmitLinesOptions {
  /** Source of signals that name none. */
  readonly source: string;
  /** Whether to print the edge's answers instead of a summary. */
  readonly json: boolean;
}

/** Below the request's limit, so that ids and commas still fit. */
const BATCH_BYTES = LIMITS.batchBytes * 0.75;
const BATCH_SIGNALS = 500;
/** A pipe that is followed stays open: what has come is emitted after this time without another line, in milliseconds. */
const QUIET_MS = 50;
/** Longest wait of a line for others, where lines come all the time. */
const LINGER_MS = 500;
const QUIET = Symbol("quiet");
/** A line is an object around the facts. */
const LIMITS_OF_LINE = limitsAround(1);

interface Line {
  readonly number: number;
  readonly signal: SignalInput;
}

/**
 * Emits the lines of standard input as they come. A line that is no signal is told at once, by its number, and its
 * neighbours are emitted all the same.
 *
 * @throws Failure at the end of the input when lines were refused; at once when the edge takes nothing
 */
export async function emitLines(client: Client, options: EmitLinesOptions): Promise<void> {
  const emitter = new LineEmitter(client, options);
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  const quiet = new Quiet(QUIET_MS);
  let next = lines.next();
  try {
    for (;;) {
      const item = emitter.isWaiting ? await Promise.race([next, quiet.promise]) : await next;
      if (item === QUIET) {
        await emitter.flush();
        continue;
      }
      if (item.done === true) break;
      next = lines.next();
      await emitter.take(item.value);
      quiet.restart();
    }
    await emitter.flush();
  } finally {
    quiet.end();
  }
  await emitter.finish();
}

/** Resolves when nothing has restarted it for a while. */
class Quiet {
  readonly #timer: NodeJS.Timeout;
  #resolve: (quiet: typeof QUIET) => void = () => {};
  promise: Promise<typeof QUIET>;

  constructor(ms: number) {
    this.promise = this.#pending();
    this.#timer = setTimeout(() => this.#resolve(QUIET), ms);
  }

  restart(): void {
    this.promise = this.#pending();
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #pending(): Promise<typeof QUIET> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}

class LineEmitter {
  readonly #client: Client;
  readonly #options: EmitLinesOptions;
  #batch: Line[] = [];
  #bytes = 0;
  #firstMs = 0;
  #number = 0;
  #accepted = 0;
  #duplicates = 0;
  #refused = 0;

  constructor(client: Client, options: EmitLinesOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Whether lines wait to be emitted. */
  get isWaiting(): boolean {
    return this.#batch.length > 0;
  }

  async take(line: string): Promise<void> {
    this.#number += 1;
    // Programs of other systems begin a file with a byte-order mark.
    const text = line.replace(/^\ufeff/, "");
    if (text.trim() === "") return;
    const signal = this.#read(text);
    if (signal === undefined) return;
    const size = Buffer.byteLength(text);
    const waitedMs = this.isWaiting ? performance.now() - this.#firstMs : 0;
    if (this.#batch.length === BATCH_SIGNALS || this.#bytes + size > BATCH_BYTES || waitedMs > LINGER_MS)
      await this.flush();
    if (!this.isWaiting) this.#firstMs = performance.now();
    this.#batch.push({ number: this.#number, signal });
    this.#bytes += size;
  }

  async flush(): Promise<void> {
    let lines = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    while (lines.length > 0) {
      try {
        const result = await this.#client.emit(lines.map(({ signal }) => signal));
        this.#accepted += result.accepted;
        this.#duplicates += result.duplicates;
        if (this.#options.json) await print(JSON.stringify(result));
        return;
      } catch (error) {
        lines = this.#withoutRefused(lines, error);
      }
    }
  }

  async finish(): Promise<void> {
    if (this.#refused === 0) {
      if (!this.#options.json) await print(`Accepted: ${this.#accepted}\nDuplicates: ${this.#duplicates}`);
      return;
    }
    throw new Failure(`${this.#refused} ${this.#refused === 1 ? "line was" : "lines were"} refused${this.#soFar}`);
  }

  #read(text: string): SignalInput | undefined {
    const reading = readJsonKeeping(text, LIMITS_OF_LINE);
    if (!reading.ok) {
      const why = reading.malformed === undefined ? `: ${refusalText(reading)}` : " is not JSON";
      return this.#refuse(`line ${this.#number}${why}`);
    }
    const { value } = reading;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return this.#refuse(`line ${this.#number} is not a JSON object`);
    // The edge checks the other fields.
    return { source: this.#options.source, ...value } as SignalInput;
  }

  #refuse(why: string): undefined {
    this.#refused += 1;
    remark(`ganglion: ${why}`);
  }

  /**
   * The edge takes a batch as a whole or not at all. A refusal points to the lines that are wrong.
   *
   * @returns the other lines
   * @throws Failure for a refusal that points to no line
   */
  #withoutRefused(lines: readonly Line[], error: unknown): Line[] {
    const errors = error instanceof ApiProblem ? (error.problem.errors ?? []) : [];
    const messages = new Map<number, string[]>();
    for (const { pointer, message } of errors) {
      const [, index, rest] = /^\/(\d+)(.*)$/.exec(pointer) ?? [];
      // A batch of one line may be refused as a signal, without an index.
      const place = index === undefined ? (lines.length === 1 ? 0 : undefined) : Number(index);
      if (place === undefined || place >= lines.length) continue;
      const where = index === undefined ? pointer : (rest ?? "");
      messages.set(place, [...(messages.get(place) ?? []), `${where === "" ? "" : `${where}: `}${message}`]);
    }
    if (messages.size === 0) throw new Failure(explain(error).text + this.#soFar);
    for (const [place, texts] of [...messages].sort(([a], [b]) => a - b))
      this.#refuse(`line ${lines[place]?.number}: ${texts.join("; ")}`);
    return lines.filter((_, place) => !messages.has(place));
  }

  get #soFar(): string {
    const count = this.#accepted + this.#duplicates;
    return count > 0 ? `; ${count} signals were emitted` : "; nothing was emitted";
  }
}
