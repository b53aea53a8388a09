import { StringDecoder } from "node:string_decoder";

/** Longer lines are split: a program that never ends its line must not fill the memory. */
const MAX_LINE = 64 * 1024;

/** Splits a stream of UTF-8 bytes into lines. A character may be spread over chunks. */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (line: string) => void;
  #begun = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** @returns the chunk as text */
  write(chunk: Buffer): string {
    const text = this.#decoder.write(chunk);
    const lines = text.split("\n");
    lines[0] = this.#begun + lines[0];
    this.#begun = lines.pop() ?? "";
    for (const line of lines) this.#give(line);
    while (this.#begun.length > MAX_LINE) {
      this.#onLine(this.#begun.slice(0, MAX_LINE));
      this.#begun = this.#begun.slice(MAX_LINE);
    }
    return text;
  }

  /** Emits the last line, which may have no line break. */
  end(): void {
    if (this.#begun !== "") this.#give(this.#begun);
    this.#begun = "";
  }

  #give(line: string): void {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    for (let start = 0; start === 0 || start < text.length; start += MAX_LINE)
      this.#onLine(text.slice(start, start + MAX_LINE));
  }
}

/** Keeps the beginning and the end of a long text, where programs write what they do and what went wrong. */
export class KeptText {
  readonly #headLength: number;
  readonly #tailLength: number;
  #head = "";
  #tail = "";
  #length = 0;

  /** @param maxLength - characters to keep, a quarter of them from the beginning */
  constructor(maxLength: number) {
    this.#headLength = Math.floor(maxLength / 4);
    this.#tailLength = maxLength - this.#headLength;
  }

  append(text: string): void {
    this.#length += text.length;
    const free = this.#headLength - this.#head.length;
    this.#head += text.slice(0, free);
    this.#tail += text.slice(free);
    // The tail may grow to twice its length, so that a long output is not copied with every chunk.
    if (this.#tail.length > 2 * this.#tailLength) this.#tail = this.#tail.slice(-this.#tailLength);
  }

  /** Whether the text is complete. */
  get whole(): boolean {
    return this.#length <= this.#headLength + this.#tailLength;
  }

  /** The end of the text, from where nothing is left out. */
  get end(): string {
    return this.whole ? this.#head + this.#tail : this.#tail.slice(-this.#tailLength);
  }

  get text(): string {
    if (this.whole) return this.#head + this.#tail;
    const tail = this.end;
    return `${this.#head}\n… ${this.#length - this.#head.length - tail.length} characters left out …\n${tail}`;
  }
}
