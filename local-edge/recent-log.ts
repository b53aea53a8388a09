import type { EdgeLog } from "./runtime/runtime-log.ts";

const KEEP = 200;

/** The last lines that the edge logged, for the diagnosis of a hang. */
export class RecentLog {
  readonly #lines: string[] = [];

  add({ level, message }: EdgeLog): void {
    this.#lines.push(`${new Date().toISOString()} ${level}: ${message.slice(0, 2_000)}`);
    if (this.#lines.length > KEEP) this.#lines.shift();
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}
