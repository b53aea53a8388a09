import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, rename, stat, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { RunRecord } from "../../src/core/file-tasks/attempts.ts";
import {
  type Claim,
  claimFileName,
  hasFileName,
  isAbandoned,
  type Owner,
  readClaimFileName,
} from "../../src/core/file-tasks/claim.ts";
import { FileTaskId } from "../../src/core/file-tasks/file-task.ts";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { writeWhole } from "../base/files/write-whole.ts";
import { bootId, identify, isRunning } from "../base/process/process-group.ts";
import type { TaskDirectories } from "./task-directories.ts";

const Attempt = z.object({ attempt: z.int(), started_at: z.string(), host: z.string() });
/** The `.run` file beside a claim. */
const RunRecordFile = z.object({
  claimed_at: z.string(),
  history: z.array(Attempt.extend({ ended_at: z.string(), error: z.string() })),
  running: Attempt.exactOptional(),
  not_before_ms: z.number().exactOptional(),
  misnamed: z.string().exactOptional(),
});

export interface ClaimsOptions {
  readonly tree: TaskDirectories;
  readonly host: string;
  /** A claim of another host that was not renewed for so many milliseconds is abandoned. */
  readonly staleMs: number;
}

/**
 * Exclusive claims on dropped tasks. A claim is one rename into `.claimed/`: of several processes, on this host or on
 * others that share the directory, exactly one succeeds. A take-over is a rename from the dead owner's name to ours.
 */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #held = new Map<string, Claim>();

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /**
   * A name that cannot be the id of a task is claimed under an id made from it, and noted in the record: the file is
   * dead-lettered, by this owner or the next.
   *
   * @returns `undefined`: another process claimed the file first, or it is gone
   */
  async take(name: string, nowMs: number): Promise<Claim | undefined> {
    const nonce = randomBytes(6).toString("hex");
    const from = join(this.#options.tree.tasks, name);
    const taskId = name.replace(JSON_EXTENSION, "");
    if (this.#canClaim({ taskId, nonce, owner: self(this.#options.host) })) return this.#move(from, taskId, nonce);
    const standIn = { taskId: idFor(name), nonce };
    // First: the next owner must not take the file for a task with the id that was made for it.
    const misnamed = name.slice(0, SHOWN_NAME);
    await this.writeRecord(standIn, { claimed_at: new Date(nowMs).toISOString(), history: [], misnamed });
    const claim = await this.#move(from, standIn.taskId, nonce);
    if (claim === undefined) await unlink(this.#recordPath(standIn)).catch(ignoreMissing);
    return claim;
  }

  #canClaim(claim: Claim): boolean {
    return FileTaskId.safeParse(claim.taskId).success && hasFileName(claim);
  }

  /** Takes over all claims whose owner has ended. */
  async takeOver(nowMs: number): Promise<Claim[]> {
    const { tree, host, staleMs } = this.#options;
    const taken: Claim[] = [];
    for (const name of await readdir(tree.claimed)) {
      const path = join(tree.claimed, name);
      // An incomplete file of a writer that was killed.
      if (name.endsWith(".tmp") && nowMs - (await changedMs(path)) > staleMs) await unlink(path).catch(ignoreMissing);
      const claim = readClaimFileName(name);
      if (claim === undefined || this.#held.has(name)) continue;
      const renewedMs = Math.max(await changedMs(path), await changedMs(this.#recordPath(claim)));
      if (!isAbandoned(claim, nowMs - renewedMs, { host, staleMs, runs })) continue;
      const own = await this.#move(path, claim.taskId, claim.nonce);
      if (own !== undefined) taken.push(own);
    }
    return taken;
  }

  path(claim: Claim): string {
    return join(this.#options.tree.claimed, claimFileName(claim));
  }

  /** Shows other hosts, which cannot see this process, that it is alive. */
  async renew(nowMs: number): Promise<void> {
    for (const claim of this.#held.values()) {
      await touch(this.path(claim), nowMs);
      await touch(this.#recordPath(claim), nowMs);
    }
  }

  /** @returns `undefined`: no attempt has been made yet */
  async record(claim: Claim): Promise<RunRecord | undefined> {
    const text = await readFile(this.#recordPath(claim), "utf8").catch(ignoreMissing);
    return text === undefined ? undefined : RunRecordFile.parse(JSON.parse(text));
  }

  /** File for the whole output of the command, if that is too large for a result. */
  outputPath({ taskId, nonce }: Claim): string {
    return join(this.#options.tree.claimed, `${taskId}~${nonce}.output`);
  }

  async writeRecord(claim: Pick<Claim, "taskId" | "nonce">, record: RunRecord): Promise<void> {
    await writeWhole(this.#recordPath(claim), JSON.stringify(record));
  }

  /** The task has ended and was reported. The claim is removed last: until then another owner can finish the rest. */
  async release(claim: Claim): Promise<void> {
    await unlink(this.outputPath(claim)).catch(ignoreMissing);
    await unlink(this.#recordPath(claim)).catch(ignoreMissing);
    await unlink(this.path(claim)).catch(ignoreMissing);
    this.#held.delete(claimFileName(claim));
  }

  #recordPath({ taskId, nonce }: Pick<Claim, "taskId" | "nonce">): string {
    return join(this.#options.tree.claimed, `${taskId}~${nonce}.run`);
  }

  /**
   * Abandons all claims without finishing their tasks. This process lives on, so without this step other owners would
   * take the claims for active ones.
   */
  async abandon(): Promise<void> {
    for (const [name, claim] of this.#held) {
      const left = claimFileName({ ...claim, owner: { ...claim.owner, start: NOBODY } });
      await rename(join(this.#options.tree.claimed, name), join(this.#options.tree.claimed, left)).catch(ignoreMissing);
      this.#held.delete(name);
    }
  }

  async #move(from: string, taskId: string, nonce: string): Promise<Claim | undefined> {
    const claim: Claim = { taskId, nonce, owner: self(this.#options.host) };
    const name = claimFileName(claim);
    // Before the rename: a scan in between must not take this claim for an abandoned one; and another host must not take
    // a file that was dropped an hour ago for a claim that was never renewed.
    this.#held.set(name, claim);
    try {
      await touch(from, Date.now());
      await rename(from, this.path(claim));
      return claim;
    } catch (error) {
      this.#held.delete(name);
      ignoreMissing(error);
      return undefined;
    }
  }
}

const JSON_EXTENSION = /\.json$/i;
/** Characters of an invalid name that are shown. */
const SHOWN_NAME = 300;
/** Characters of a made id, the digest included. */
const MADE_ID = 60;

/** An id for a file whose name cannot be one: what can be read of the name, and a digest of it. */
function idFor(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 12);
  const readable = name
    .replace(JSON_EXTENSION, "")
    .replace(/[^A-Za-z0-9._-]+/g, "_")
    .replace(/^[^A-Za-z0-9]+/, "");
  return `${readable.slice(0, MADE_ID - digest.length - 1) || "file"}.${digest}`;
}

/** Start time of no process: marks a claim as abandoned. */
const NOBODY = 0;

function self(host: string): Owner {
  const own = identify(process.pid);
  if (own === undefined) throw new Error("/proc does not know this process");
  return { host, boot: own.boot.slice(0, 8), pid: own.pid, start: own.start };
}

function runs({ boot, pid, start }: Owner): boolean {
  return bootId().startsWith(boot) && isRunning({ pid, start, boot: bootId() });
}

/** When a file was last changed or renamed, in milliseconds; 0 for a missing file. */
async function changedMs(path: string): Promise<number> {
  const found = await stat(path).catch(ignoreMissing);
  return found === undefined ? 0 : Math.max(found.mtimeMs, found.ctimeMs);
}

async function touch(path: string, nowMs: number): Promise<void> {
  await utimes(path, nowMs / 1_000, nowMs / 1_000).catch((error: NodeJS.ErrnoException) => {
    // A file of another user can be renamed but not touched: then the time of the record beside it counts.
    if (error.code !== "EPERM") ignoreMissing(error);
  });
}
