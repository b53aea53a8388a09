/** The live line may change this often, in milliseconds: on a terminal, and where each change is one more line of a log. */
const REWRITE_MS = 2_000;
const REPEAT_MS = 30_000;

/** Standard output, or a fake in tests. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Prints lines that stay, and keeps one live line about the state below them. Where the output is not a terminal, the
 * live line is printed again when it has changed, at most every 30 s.
 */
export class LiveLine {
  readonly #screen: Screen;
  readonly #now: () => number;
  #live = "";
  #drawnAt = Number.NEGATIVE_INFINITY;

  /** @param now - milliseconds, from any start */
  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
  }

  /** Shortest time between two live lines, in milliseconds. */
  get intervalMs(): number {
    return this.#screen.isTTY ? REWRITE_MS : REPEAT_MS;
  }

  /** Prints one line that stays. */
  say(line: string): void {
    if (!this.#screen.isTTY) {
      this.#screen.write(`${line}\n`);
      return;
    }
    this.#screen.write(`\r\x1b[2K${line}\n${this.#fitting(this.#live)}`);
  }

  /** Replaces the live line. A line that comes too early is dropped; the next one replaces it. */
  show(line: string): void {
    const now = this.#now();
    // Some slack, because a timer of exactly this length may run a moment early.
    if (line === this.#live || now - this.#drawnAt < this.intervalMs * 0.9) return;
    this.#live = line;
    this.#drawnAt = now;
    this.#screen.write(this.#screen.isTTY ? `\r\x1b[2K${this.#fitting(line)}` : `${line}\n`);
  }

  /** Removes the live line; the next output starts at the left. */
  clear(): void {
    if (this.#screen.isTTY && this.#live !== "") this.#screen.write("\r\x1b[2K");
    this.#live = "";
  }

  /** A line that wraps cannot be wiped by going back to its start. */
  #fitting(line: string): string {
    return line.slice(0, (this.#screen.columns ?? 80) - 1);
  }
}
