import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { readJsonKeeping } from "../../src/core/json/read-json.ts";
import { ifThere } from "../base/files/replace-file.ts";
import { truthOf } from "../base/truth-value.ts";
import type { Facts, Monitor } from "./monitor.ts";
import type { FailedPart } from "./parts.ts";

export interface PromotionsOptions {
  readonly directory: string;
  /** File with the time of the last dream, or a directory in which each dream leaves a file. */
  readonly lastDream?: string | undefined;
  /** `json`: only files named `*.json` are promotions; default: all files are. */
  readonly files?: "all" | "json" | undefined;
  readonly now: () => number;
}

const HOUR_MS = 3_600_000;
/** A larger promotion is not read for its `acknowledged` field. */
const MAX_READ_BYTES = 256 * 1024;
/** Files that are named in one answer because they cannot be read. */
const MAX_FAILED = 64;
/** Waiting promotions that are named in one answer, and the length of a name. */
const MAX_FILES = 50;
const MAX_NAME = 256;
/** Files read at the same time. */
const CONCURRENCY = 32;

interface Promotion {
  /** Inode, size and times: a file with another version has changed. */
  readonly fileVersion: string;
  readonly acknowledged: boolean;
  /** `false`: the file could not be read, and is tried again the next time. */
  readonly isRead: boolean;
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
    const { directory, files, now } = this.#options;
    const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      throw new Error(`the directory of promotions cannot be read (${error.code}): ${directory}`);
    });
    const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    const marks = new Set(names.filter((name) => name.endsWith(".ack")));
    const wanted = files === "json" ? /^[^.].*\.json$/ : /^(?!\.).*(?<!\.ack|\.tmp)$/s;
    const promotions = names.filter((name) => wanted.test(name));
    const seen = new Map<string, Promotion>();
    const failed: FailedPart[] = [];
    const waiting = new Set<string>();
    let oldestMs = Number.POSITIVE_INFINITY;
    let newestMs = Number.NEGATIVE_INFINITY;
    const waitingFiles: string[] = [];
    for (let from = 0; from < promotions.length; from += CONCURRENCY) {
      const some = promotions.slice(from, from + CONCURRENCY);
      for (const found of await Promise.all(some.map((name) => this.#inspect(name, seen, failed)))) {
        if (found === undefined || found.acknowledged || marks.has(`${found.name}.ack`)) continue;
        waiting.add(`${found.name} ${seen.get(found.name)?.fileVersion}`);
        oldestMs = Math.min(oldestMs, found.writtenMs);
        newestMs = Math.max(newestMs, found.writtenMs);
        waitingFiles.push(found.name.slice(0, MAX_NAME));
      }
    }
    this.#seen = seen;
    // Arrivals are counted, because a dream may acknowledge as many promotions as arrive: the number that wait would
    // then stay the same.
    for (const one of waiting) if (!this.#waiting.has(one)) this.#arrived++;
    this.#waiting = waiting;
    const ageOf = (ms: number) =>
      waiting.size === 0 ? null : Math.round((Math.max(0, now() - ms) / HOUR_MS) * 100) / 100;
    return {
      promotion_count: seen.size,
      unacknowledged_count: waiting.size,
      oldest_promotion_age_hours: ageOf(oldestMs),
      newest_promotion_age_hours: ageOf(newestMs),
      promotion_files: waitingFiles.sort().slice(0, MAX_FILES),
      last_dream_time: await this.#lastDream(failed),
      promotions_path: directory,
      arrivals: { run: this.#run, count: this.#arrived, waiting: hashOf(waiting) },
      ...(failed.length > 0 && { failed: failed.slice(0, MAX_FAILED) }),
    };
  }

  /** A promotion that cannot be read waits: whether it is acknowledged is not known. */
  async #inspect(name: string, seen: Map<string, Promotion>, failed: FailedPart[]) {
    const path = join(this.#options.directory, name);
    try {
      const { size, mtimeMs, ctimeMs, ino } = await stat(path);
      const fileVersion = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      const before = this.#seen.get(name);
      if (before?.isRead === true && before.fileVersion === fileVersion) {
        seen.set(name, before);
        return { name, acknowledged: before.acknowledged, writtenMs: mtimeMs };
      }
      const isSmall = size <= MAX_READ_BYTES;
      const content = isSmall ? await readOrNote(path, name, failed) : undefined;
      const acknowledged = content !== undefined && isAcknowledged(content);
      seen.set(name, { fileVersion, acknowledged, isRead: content !== undefined || !isSmall });
      return { name, acknowledged, writtenMs: mtimeMs };
    } catch (error) {
      // No text names such a file: it looks as if it were gone.
      if (name.includes("\ufffd"))
        failed.push({ part: name.slice(0, 320), reason: "its name is not UTF-8: rename it" });
      // Removed since the directory was read: the promotion does not wait any more.
      else if (!isMissing(error)) failed.push(failedPart(name, error));
      return undefined;
    }
  }

  async #lastDream(failed: FailedPart[]): Promise<string | number | null> {
    const { lastDream } = this.#options;
    if (lastDream === undefined) return null;
    try {
      const { mtimeMs } = (await stat(lastDream)).isDirectory() ? await newestIn(lastDream) : await stat(lastDream);
      if (mtimeMs === undefined) return null;
      return (await timeInside(lastDream)) ?? new Date(mtimeMs).toISOString();
    } catch (error) {
      // No dream yet.
      if (!isMissing(error)) failed.push(failedPart("last_dream", error));
      return null;
    }
  }
}

async function readOrNote(path: string, name: string, failed: FailedPart[]): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) throw error;
    failed.push(failedPart(name, error));
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

function failedPart(part: string, error: unknown): FailedPart {
  const { code, message } = error as NodeJS.ErrnoException;
  return { part: part.slice(0, 320), reason: `it cannot be read (${code ?? message.slice(0, 100)})` };
}

function hashOf(waiting: ReadonlySet<string>): string {
  return createHash("sha256")
    .update(JSON.stringify([...waiting].sort()))
    .digest("hex");
}

function isAcknowledged(content: Buffer): boolean {
  // A file that is not JSON has no `acknowledged` field.
  const reading = readJsonKeeping(content.toString("utf8"));
  const document = reading.ok ? reading.value : undefined;
  return (
    typeof document === "object" &&
    document !== null &&
    "acknowledged" in document &&
    truthOf(document.acknowledged) === true
  );
}

async function newestIn(directory: string): Promise<{ mtimeMs: number | undefined }> {
  const names = (await readdir(directory)).filter((name) => !name.startsWith("."));
  const stats = await Promise.all(names.map((name) => ifThere(stat(join(directory, name)))));
  const times = stats.flatMap((found) => (found === undefined ? [] : [found.mtimeMs]));
  return { mtimeMs: times.length === 0 ? undefined : Math.max(...times) };
}

const TIME_FIELDS = ["last_dream_time", "last_dream", "completed_at", "timestamp"] as const;
const DreamRecord = z.record(z.string(), z.unknown());

/** The time that a JSON file gives, unchanged. */
async function timeInside(path: string): Promise<string | number | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MAX_READ_BYTES) return undefined;
    const reading = readJsonKeeping(await readFile(path, "utf8"));
    const document = reading.ok ? DreamRecord.parse(reading.value) : {};
    const value = TIME_FIELDS.map((field) => document[field]).find((one) => one !== undefined);
    return (typeof value === "string" && value.length <= 64) || typeof value === "number" ? value : undefined;
  } catch {
    // A directory, or a file without such a field: the caller takes the file's own time.
    return undefined;
  }
}
