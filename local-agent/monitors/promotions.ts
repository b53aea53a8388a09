import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Facts, Monitor } from "./monitor.ts";

export interface PromotionsOptions {
  readonly directory: string;
  /** File or directory that tells of the last dream. */
  readonly lastDream?: string | undefined;
  readonly now: () => number;
}

const HOUR_MS = 3_600_000;
/** A promotion may be long; only one that is short is looked into for its mark. */
const MAX_READ_BYTES = 256 * 1024;
/** Files read at a time. */
const AT_ONCE = 32;

interface Seen {
  /** Size and times: another means that the file is another. */
  readonly stamp: string;
  readonly acknowledged: boolean;
}

/**
 * Promotions that wait in a directory (R2): each file is one, apart from hidden ones, `*.tmp` and `*.ack`. One is
 * acknowledged when `<name>.ack` stands beside it, or it is a JSON object with `"acknowledged": true`. What was moved
 * into a directory below (`acknowledged/`, say) does not count any more.
 */
export class PromotionsMonitor implements Monitor {
  readonly name = "promotions";
  readonly #options: PromotionsOptions;
  readonly #run = randomUUID();
  #seen = new Map<string, Seen>();
  #waiting: ReadonlySet<string> = new Set();
  #arrived = 0;

  constructor(options: PromotionsOptions) {
    this.#options = options;
  }

  async gather(): Promise<Facts> {
    const { directory, now } = this.#options;
    const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      throw new Error(`the directory of promotions cannot be read (${error.code}): ${directory}`);
    });
    const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    const marks = new Set(names.filter((name) => name.endsWith(".ack")));
    const promotions = names.filter((name) => !/^\.|\.(ack|tmp)$/.test(name));
    const seen = new Map<string, Seen>();
    const waiting = new Set<string>();
    let oldestMs = Number.POSITIVE_INFINITY;
    for (let from = 0; from < promotions.length; from += AT_ONCE) {
      const some = promotions.slice(from, from + AT_ONCE);
      for (const found of await Promise.all(some.map((name) => this.#look(name, seen)))) {
        if (found === undefined || found.acknowledged || marks.has(`${found.name}.ack`)) continue;
        waiting.add(`${found.name} ${seen.get(found.name)?.stamp}`);
        oldestMs = Math.min(oldestMs, found.writtenMs);
      }
    }
    this.#seen = seen;
    // Counted, since a dream may acknowledge as many as come: their number would stay the same.
    for (const one of waiting) if (!this.#waiting.has(one)) this.#arrived++;
    this.#waiting = waiting;
    const age = Math.max(0, now() - oldestMs) / HOUR_MS;
    return {
      promotion_count: seen.size,
      unacknowledged_count: waiting.size,
      oldest_promotion_age_hours: waiting.size === 0 ? null : Math.round(age * 100) / 100,
      last_dream_time: await this.#lastDream(),
      promotions_path: directory,
      arrivals: { run: this.#run, count: this.#arrived, waiting: hashOf(waiting) },
    };
  }

  async #look(name: string, seen: Map<string, Seen>) {
    const path = join(this.#options.directory, name);
    try {
      const { size, mtimeMs, ctimeMs, ino } = await stat(path);
      const stamp = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      const before = this.#seen.get(name);
      const acknowledged =
        before?.stamp === stamp ? before.acknowledged : size <= MAX_READ_BYTES && isAcknowledged(await readFile(path));
      seen.set(name, { stamp, acknowledged });
      return { name, acknowledged, writtenMs: mtimeMs };
    } catch (error) {
      // Taken away between two looks: it does not wait any more.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #lastDream(): Promise<string | number | null> {
    const { lastDream } = this.#options;
    if (lastDream === undefined) return null;
    try {
      const { mtimeMs } = (await stat(lastDream)).isDirectory() ? await newestIn(lastDream) : await stat(lastDream);
      if (mtimeMs === undefined) return null;
      return (await timeInside(lastDream)) ?? new Date(mtimeMs).toISOString();
    } catch (error) {
      // No dream yet.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }
}

function hashOf(waiting: ReadonlySet<string>): string {
  return createHash("sha256")
    .update(JSON.stringify([...waiting].sort()))
    .digest("hex");
}

function isAcknowledged(content: Buffer): boolean {
  try {
    const document: unknown = JSON.parse(content.toString("utf8"));
    return (
      typeof document === "object" && document !== null && "acknowledged" in document && document.acknowledged === true
    );
  } catch {
    // Not JSON: then it has no such mark.
    return false;
  }
}

async function newestIn(directory: string): Promise<{ mtimeMs: number | undefined }> {
  const names = (await readdir(directory)).filter((name) => !name.startsWith("."));
  const times = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).mtimeMs));
  return { mtimeMs: times.length === 0 ? undefined : Math.max(...times) };
}

const TIME_FIELDS = ["last_dream_time", "last_dream", "completed_at", "timestamp"] as const;

/** The time that a JSON file names, as it stands there. */
async function timeInside(path: string): Promise<string | number | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MAX_READ_BYTES) return undefined;
    const document = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    const value = TIME_FIELDS.map((field) => document[field]).find((one) => one !== undefined);
    return (typeof value === "string" && value.length <= 64) || typeof value === "number" ? value : undefined;
  } catch {
    // A directory, or a file without such a field: its own time counts.
    return undefined;
  }
}
