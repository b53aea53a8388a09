import { randomBytes } from "node:crypto";
import { readdir, readFile, rename, stat, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { RunRecord } from "../../src/core/file-tasks/attempts.ts";
import {
  type Claim,
  claimFileName,
  isAbandoned,
  type Owner,
  readClaimFileName,
} from "../../src/core/file-tasks/claim.ts";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { writeWhole } from "../base/files/write-whole.ts";
import { bootId, identify, isRunning } from "../base/process/process-group.ts";
import type { DropTree } from "./task-directories.ts";

export interface ClaimsOptions {
  readonly tree: DropTree;
  readonly host: string;
  /** A claim of another host that was not renewed for so long has lost its owner. */
  readonly staleMs: number;
}

/**
 * Exclusive claims on dropped tasks (R49). A claim is one rename into `.claimed/`: of several processes, on this host
 * or on others that share the directory, exactly one finds the file there. A take-over is the same from the dead
 * owner's name to ours.
 */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #held = new Map<string, Claim>();

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** @returns `undefined`: somebody else was faster, or the file is gone */
  async take(name: string): Promise<Claim | undefined> {
    const nonce = randomBytes(6).toString("hex");
    return this.#move(join(this.#options.tree.tasks, name), name.slice(0, -".json".length), nonce);
  }

  /** Takes on everything whose owner has ended. */
  async takeOver(nowMs: number): Promise<Claim[]> {
    const { tree, host, staleMs } = this.#options;
    const taken: Claim[] = [];
    for (const name of await readdir(tree.claimed)) {
      const path = join(tree.claimed, name);
      // A part of a file whose writer was killed.
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

  /** Tells other hosts, which cannot see this process, that it is alive. */
  async renew(nowMs: number): Promise<void> {
    for (const claim of this.#held.values()) {
      await touch(this.path(claim), nowMs);
      await touch(this.#recordPath(claim), nowMs);
    }
  }

  /** @returns `undefined`: nothing has been tried yet */
  async record(claim: Claim): Promise<RunRecord | undefined> {
    const text = await readFile(this.#recordPath(claim), "utf8").catch(ignoreMissing);
    return text === undefined ? undefined : (JSON.parse(text) as RunRecord);
  }

  async writeRecord(claim: Claim, record: RunRecord): Promise<void> {
    await writeWhole(this.#recordPath(claim), JSON.stringify(record));
  }

  /** The task is over, and told. The claim goes last: until then whoever comes upon it finishes what is left to do. */
  async release(claim: Claim): Promise<void> {
    await unlink(this.#recordPath(claim)).catch(ignoreMissing);
    await unlink(this.path(claim)).catch(ignoreMissing);
    this.#held.delete(claimFileName(claim));
  }

  #recordPath({ taskId, nonce }: Claim): string {
    return join(this.#options.tree.claimed, `${taskId}~${nonce}.run`);
  }

  /**
   * Gives up what is held, without having finished it: this process lives on, and who comes next, in it or beside it,
   * would otherwise take the claims for those of somebody who is at work.
   */
  async letGo(): Promise<void> {
    for (const [name, claim] of this.#held) {
      const left = claimFileName({ ...claim, owner: { ...claim.owner, start: NOBODY } });
      await rename(join(this.#options.tree.claimed, name), join(this.#options.tree.claimed, left)).catch(ignoreMissing);
      this.#held.delete(name);
    }
  }

  async #move(from: string, taskId: string, nonce: string): Promise<Claim | undefined> {
    const claim: Claim = { taskId, nonce, owner: self(this.#options.host) };
    const name = claimFileName(claim);
    // Before the rename: a look at the directory in between must not take our own claim for an abandoned one, and
    // another host not a file that lay there for an hour for one that was never renewed.
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

/** No process of this boot started then: the kernel itself does not run in processes. */
const NOBODY = 0;

function self(host: string): Owner {
  const own = identify(process.pid);
  if (own === undefined) throw new Error("/proc does not know this process");
  return { host, boot: own.boot.slice(0, 8), pid: own.pid, start: own.start };
}

function runs({ boot, pid, start }: Owner): boolean {
  return bootId().startsWith(boot) && isRunning({ pid, start, boot: bootId() });
}

/** Of what was renamed, too. In milliseconds; 0 for a file that is not there. */
async function changedMs(path: string): Promise<number> {
  const found = await stat(path).catch(ignoreMissing);
  return found === undefined ? 0 : Math.max(found.mtimeMs, found.ctimeMs);
}

async function touch(path: string, nowMs: number): Promise<void> {
  await utimes(path, nowMs / 1_000, nowMs / 1_000).catch((error: NodeJS.ErrnoException) => {
    // Somebody else's file that we may rename but not touch: then the record beside it, which is ours, says it.
    if (error.code !== "EPERM") ignoreMissing(error);
  });
}
