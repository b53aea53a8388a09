import * as z from "zod";
import { Judgement, judgementOfCheck, type ProvedWork } from "../../core/queue/accept.ts";
import type { QueueChanges } from "../../core/queue/change-tracker.ts";
import type { FinishedTask } from "../../core/queue/task.ts";
import { readableRows } from "../shell/readable-rows.ts";

/** What is to be said to others about proofs. */
const ProofMessage = z.discriminatedUnion("kind", [
  /** To who judges the task. */
  z.object({ kind: z.literal("ask"), task: z.string(), proof: z.string(), round: z.int() }),
  /** To who was asked: nobody needs the judgement any more. */
  z.object({ kind: z.literal("withdraw"), by: z.enum(["check", "reviewer"]), proof: z.string(), round: z.int() }),
  /** Only in the queue of checks: to the queue of the task. */
  z.object({
    kind: z.literal("judge"),
    queue: z.string(),
    task: z.string(),
    proof: z.string(),
    judgement: Judgement,
  }),
]);
export type ProofMessage = z.infer<typeof ProofMessage>;

/** Messages that one run takes. */
const BATCH = 100;

/**
 * What workers brought to be judged, and what is to be said about it. Both are written in the transaction of the change that
 * they follow from, so a crash loses neither. The tables are made with the first of them: most queues have none.
 *
 * Tables: `proofs(seq, task_id, cause, result, evidence)`, `proof_messages(number, body)`.
 */
export class ProofStore {
  readonly #sql: SqlStorage;
  #made: boolean;
  #filled = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#made = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'proofs'").toArray().length > 0;
    this.#filled = this.next().length > 0;
  }

  work(seq: number): ProvedWork | undefined {
    if (!this.#made) return undefined;
    const [row] = this.#sql
      .exec<{ result: string | null; evidence: string | null }>(
        "SELECT result, evidence FROM proofs WHERE seq = ?",
        seq,
      )
      .toArray();
    return row === undefined ? undefined : { resultJson: row.result, evidenceJson: row.evidence };
  }

  /** Writes what changed. Must run in the transaction of the change, before entries are forgotten. */
  write({ changed, finished, purged, judged, proving, withdrawn }: QueueChanges): void {
    for (const { seq, taskId, cause, work } of changed) {
      if (work === undefined) continue;
      this.#make();
      const { resultJson, evidenceJson } = work;
      const values = [seq, taskId, cause?.id ?? null, resultJson, evidenceJson];
      this.#sql.exec("INSERT OR REPLACE INTO proofs VALUES (?, ?, ?, ?, ?)", ...values);
    }
    const ended = [...finished, ...purged].map(({ entry }) => entry).filter(({ accept }) => accept !== undefined);
    for (const { seq } of [...judged.map(({ task }) => task), ...ended])
      if (this.#made) this.#sql.exec("DELETE FROM proofs WHERE seq = ?", seq);
    for (const { taskId, proof } of proving)
      if (proof !== undefined) this.send({ kind: "ask", task: taskId, proof: proof.id, round: proof.round });
    for (const { accept, proof } of withdrawn)
      if (accept.rule === undefined)
        this.send({
          kind: "withdraw",
          by: accept.check === undefined ? "reviewer" : "check",
          proof: proof.id,
          round: proof.round,
        });
    // Last, so that memory is unchanged if a statement fails.
    for (const entry of changed) entry.work = undefined;
  }

  /** Must run in a transaction. */
  send(message: ProofMessage): void {
    this.#make();
    this.#sql.exec("INSERT INTO proof_messages (body) VALUES (?)", JSON.stringify(message));
    this.#filled = true;
  }

  /** A run of a check has ended: the queue of its task is told how the task is judged. Must run in a transaction. */
  report(record: FinishedTask): void {
    const target = record.sender ?? "";
    const end = target.indexOf("/");
    // Every run names its task, but a queue of this name may be older than checks.
    if (end < 0) return;
    const [queue, task] = [target.slice(0, end), target.slice(end + 1)];
    const judgement = judgementOfCheck(record.recipient, record);
    this.send({ kind: "judge", queue, task, proof: record.taskId, judgement });
  }

  /** The oldest messages that were not taken, behind a place. */
  next(after = 0): { number: number; message: ProofMessage }[] {
    if (!this.#made) return [];
    const rows = this.#sql.exec<{ number: number; body: string }>(
      "SELECT number, body FROM proof_messages WHERE number > ? ORDER BY number LIMIT ?",
      after,
      BATCH,
    );
    return [
      ...readableRows("proof messages", rows, ({ number, body }) => ({
        number,
        message: ProofMessage.parse(JSON.parse(body)),
      })),
    ];
  }

  forget(number: number): void {
    this.#sql.exec("DELETE FROM proof_messages WHERE number = ?", number);
  }

  get empty(): boolean {
    return this.next().length === 0;
  }

  /** Whether messages came since this was last asked. */
  takeFilled(): boolean {
    const filled = this.#filled;
    this.#filled = false;
    return filled;
  }

  /** To be called after the transaction failed. */
  reload(): void {
    this.#made = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'proofs'").toArray().length > 0;
    this.#filled = !this.empty;
  }

  #make(): void {
    if (this.#made) return;
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS proofs (seq INTEGER PRIMARY KEY, task_id TEXT NOT NULL, cause TEXT, result TEXT, evidence TEXT)",
    );
    this.#sql.exec("CREATE TABLE IF NOT EXISTS proof_messages (number INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    this.#made = true;
  }
}
