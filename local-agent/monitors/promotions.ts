import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Facts, Monitor } from "./monitor.ts";

export interface PromotionsOptions {
  readonly directory: string;
  /** File that says when the last dream was, or a directory in which each dream leaves a file. */
  readonly lastDream?: string | undefined;
  readonly now: () => number;
}

const HOUR_MS = 3_600_000;
/** A larger promotion is not read for its `acknowledged` field. */
const MAX_READ_BYTES = 256 * 1024;
/** Files read at the same time. */
const CONCURRENCY = 32;

interface Promotion {
  /** Inode, size and times: a file with another version has changed. */
  readonly fileVersion: string;
  readonly acknowledged: boolean;
}

/**
 * Promotions that wait in a directory: one for each file, except hidden files, `*.tmp` and `*.ack`. A promotion is
 * acknowledged when `<name>.ack` is beside it, or when it is a JSON object with `"acknowledged": true`. Files in
 * directories below (such as `acknowledged/`) do not count.
 */
export class PromotionsMonitor implements Monitor {
  readonly name = "promotions";
  readonly #options: PromotionsOptions;
  readonly #run = randomUUID();
  #seen = new Map<string, Promotion>();
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
    const seen = new Map<string, Promotion>();
    const waiting = new Set<string>();
    let oldestMs = Number.POSITIVE_INFINITY;
    for (let from = 0; from < promotions.length; from += CONCURRENCY) {
      const some = promotions.slice(from, from + CONCURRENCY);
      for (const found of await Promise.all(some.map((name) => this.#inspect(name, seen)))) {
        if (found === undefined || found.acknowledged || marks.has(`${found.name}.ack`)) continue;
        waiting.add(`${found.name} ${seen.get(found.name)?.fileVersion}`);
        oldestMs = Math.min(oldestMs, found.writtenMs);
      }
    }
    this.#seen = seen;
    // Arrivals are counted, because a dream may acknowledge as many promotions as arrive: the number that wait would
    // then stay the same.
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

  async #inspect(name: string, seen: Map<string, Promotion>) {
    const path = join(this.#options.directory, name);
    try {
      const { size, mtimeMs, ctimeMs, ino } = await stat(path);
      const fileVersion = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      const before = this.#seen.get(name);
      const acknowledged =
        before?.fileVersion === fileVersion
          ? before.acknowledged
          : size <= MAX_READ_BYTES && isAcknowledged(await readFile(path));
      seen.set(name, { fileVersion, acknowledged });
      return { name, acknowledged, writtenMs: mtimeMs };
    } catch (error) {
      // Removed since the directory was read: the promotion does not wait any more.
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
    // Not JSON: the file has no `acknowledged` field.
    return false;
  }
}

async function newestIn(directory: string): Promise<{ mtimeMs: number | undefined }> {
  const names = (await readdir(directory)).filter((name) => !name.startsWith("."));
  const times = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).mtimeMs));
  return { mtimeMs: times.length === 0 ? undefined : Math.max(...times) };
}

const TIME_FIELDS = ["last_dream_time", "last_dream", "completed_at", "timestamp"] as const;
const DreamRecord = z.record(z.string(), z.unknown());

/** The time that a JSON file gives, unchanged. */
async function timeInside(path: string): Promise<string | number | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MAX_READ_BYTES) return undefined;
    const document = DreamRecord.parse(JSON.parse(await readFile(path, "utf8")));
    const value = TIME_FIELDS.map((field) => document[field]).find((one) => one !== undefined);
    return (typeof value === "string" && value.length <= 64) || typeof value === "number" ? value : undefined;
  } catch {
    // A directory, or a file without such a field: the caller takes the file's own time.
    return undefined;
  }
}
