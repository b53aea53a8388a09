import { randomBytes } from "node:crypto";
import { link, lstat, readFile, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { RunRecord } from "../../src/core/file-tasks/attempts.ts";
import type { Claim } from "../../src/core/file-tasks/claim.ts";
import { moveToDeadLetters } from "../base/files/dead-letter-folder.ts";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { pathInside } from "../base/files/path-inside.ts";
import { writeWhole } from "../base/files/write-whole.ts";
import type { CommandResult } from "../base/process/run-command.ts";
import { classicDeadLetter, classicNotice, classicReceipt, classicResult } from "./classic-forms.ts";
import { type DeadTask, document, type Ended, type Ending, Outcomes, type TaskResult } from "./outcomes.ts";
import { baseOf } from "./task-directories.ts";

/** Field of a successful result beside those of the older form: by it a report that is repeated after a crash is known. */
const OWN = "ganglion";

/** Writes the files of the older watcher, see classic-forms.ts. */
export class ClassicOutcomes extends Outcomes {
  override async receipt({ taskId }: Claim, { claimed_at }: RunRecord): Promise<void> {
    const { tree, worker } = this.options;
    const receipt = document(classicReceipt(taskId, worker, claimed_at));
    await this.write(join(tree.receipts, `${taskId}.trigger`), receipt, false);
  }

  override async succeeded(claim: Claim, ending: Ending, done?: CommandResult): Promise<TaskResult> {
    const result = this.resultOf(claim, ending);
    await this.write(this.#resultPath(claim), document({ ...this.#form(claim, ending, done), [OWN]: result }));
    return result;
  }

  override async attemptFailed(claim: Claim, ending: Omit<Ending, "result">, done: CommandResult): Promise<void> {
    await this.write(this.#resultPath(claim), document(this.#form(claim, { ...ending, result: null }, done)));
  }

  #form({ taskId: task_id }: Claim, ending: Ending, done: CommandResult | undefined) {
    const { duration_ms: durationMs, finished_at: timestamp, attempts: attempt, result } = ending;
    const ofOtherHost = typeof result === "string" ? result : JSON.stringify(result);
    return classicResult({
      task_id,
      worker: this.options.worker,
      ending: done?.ending,
      stdout: done === undefined ? ofOtherHost : done.stdout.text,
      stderr: done?.stderr.text ?? "",
      durationMs,
      timestamp,
      attempt,
    });
  }

  #resultPath({ taskId }: Pick<Claim, "taskId">): string {
    return join(this.options.tree.results, `${taskId}.json`);
  }

  protected override resultIn(file: unknown): unknown {
    return typeof file === "object" && file !== null && OWN in file ? file[OWN] : undefined;
  }

  override async notice(taskId: string, ended: Ended): Promise<void> {
    const { tree, worker } = this.options;
    const { finished_at, duration_ms } = ended;
    const end = {
      task_id: taskId,
      worker,
      status: ended.status === "complete" ? ("completed" as const) : ended.status,
      result_file: this.#resultPath({ taskId }),
      duration_seconds: duration_ms / 1_000,
    };
    const notice = classicNotice(end, ended.status === "failed" && ended.timedOut, finished_at);
    const name = (ms: number) => join(tree.notices, `${notice.event_type}_${ms}.json`);
    await this.#writeBeside(name, Date.parse(finished_at), document(notice));
  }

  override async deadLetter(path: string, claim: Claim, dead: DeadTask, nowMs: number): Promise<string | undefined> {
    const { tree } = this.options;
    const { reason, details, failedAt, attempts, task } = dead;
    const found = await lstat(path).catch(ignoreMissing);
    if (found === undefined) return undefined;
    // The same after a crash: neither name nor content may depend on when this runs.
    const atMs = failedAt === undefined ? Math.floor(found.mtimeMs) : Date.parse(failedAt);
    const epoch = Math.floor(atMs / 1_000);
    if (task === undefined) {
      // Nothing can be added to what is no task: the file stays as it was, with the reason beside it.
      const name = `${claim.taskId}_${epoch}.json`;
      const folder = tree.deadLetters;
      const error = { reason, dlq_reason: reason, worker: this.options.worker, ...details };
      const moved = await moveToDeadLetters(path, name, folder, error, nowMs, baseOf(tree, folder));
      return moved === undefined ? undefined : basename(moved);
    }
    const content = document(classicDeadLetter(task, reason, new Date(atMs).toISOString(), attempts));
    const name = (second: number) => join(tree.deadLetters, `${claim.taskId}_${second}.json`);
    const written = await this.#writeBeside(name, epoch, content);
    await unlink(path).catch(ignoreMissing);
    return basename(written);
  }

  /**
   * Writes under the first free number from `from` on: other tasks, also of other hosts, may have ended at the same time. A
   * file that equals this one was written before a crash, and is kept.
   */
  async #writeBeside(name: (number: number) => string, from: number, content: string): Promise<string> {
    const { tree } = this.options;
    const base = baseOf(tree, name(from));
    const temporary = await pathInside(base, join(dirname(name(from)), `.${randomBytes(8).toString("hex")}.tmp`));
    await writeWhole(temporary, content);
    try {
      for (let number = from; ; number++) {
        const path = await pathInside(base, name(number));
        try {
          // Unlike a rename, a link takes nobody's place.
          await link(temporary, path);
          return path;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        }
        if ((await readFile(path, "utf8").catch(ignoreMissing)) === content) return path;
      }
    } finally {
      await unlink(temporary).catch(ignoreMissing);
    }
  }
}
