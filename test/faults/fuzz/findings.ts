import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An input that brought the edge to do what it must not. */
export interface Finding {
  /** What is wrong, the same for the same defect: such as `500 at POST /v1/{eco}/signals`. */
  readonly what: string;
  /** What was seen, for people. */
  readonly seen: string;
  /** What to send again: the request, or the frames of one socket in order. */
  readonly input: unknown;
}

/** Keeps the first finding of each kind, and a file for each. */
export class Findings {
  readonly #directory: string;
  readonly #kept = new Map<string, Finding>();
  readonly #counts = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  add(finding: Finding): void {
    this.#counts.set(finding.what, (this.#counts.get(finding.what) ?? 0) + 1);
    if (this.#kept.has(finding.what)) return;
    this.#kept.set(finding.what, finding);
    mkdirSync(this.#directory, { recursive: true });
    const name = `${createHash("sha256").update(finding.what).digest("hex").slice(0, 12)}.json`;
    writeFileSync(join(this.#directory, name), `${JSON.stringify(finding, null, 2)}\n`);
  }

  get all(): (Finding & { readonly count: number })[] {
    return [...this.#kept.values()].map((finding) => ({ ...finding, count: this.#counts.get(finding.what) ?? 0 }));
  }
}
