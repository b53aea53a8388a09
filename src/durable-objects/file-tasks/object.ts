import type { FileTaskRecord, FileWorkerView } from "../../core/file-tasks/api.ts";
import type { ProjectionBatch } from "../../core/projection/batch.ts";
import type { ReprocessAnswer } from "../../core/projection/reprocess.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { Projection, type ProjectionEnvironment } from "../shell/projection.ts";
import type { ProjectionCalls } from "../shell/projection-ports.ts";
import { BoardStore } from "./board-store.ts";
import { FileTaskBoard } from "./file-task-board.ts";

/** Bindings that the board uses. */
export interface BoardBindings extends ProjectionEnvironment {}

/** The file tasks of one ecosystem and their workers on all hosts: the state of each task, and overdue attempts. */
export class WorkerBoard extends EcosystemObject<BoardBindings> implements ProjectionCalls {
  readonly #store: BoardStore;
  readonly #board: FileTaskBoard;
  readonly #projection: Projection;

  constructor(ctx: DurableObjectState, env: BoardBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms, transaction } = this;
    this.#projection = new Projection({ env, ecosystem, sql, alarms, transaction, name: "workers" });
    this.#store = new BoardStore(sql);
    this.#board = new FileTaskBoard({
      store: this.#store,
      wakeBy: (atMs) => alarms.wakeBy(atMs),
      decide: (change) => this.#projection.decide(change),
    });
    this.#projection.attach(this.#board);
  }

  workers(): FileWorkerView[] {
    return this.#board.workers;
  }

  /** All tasks of this id, newest first. */
  task(worker: string, taskId: string): FileTaskRecord[] {
    return this.#store.byId(worker, taskId);
  }

  project(batches: readonly ProjectionBatch[]): Promise<number> {
    return this.#projection.project(batches);
  }

  catchUp(headSeq: number): Promise<number> {
    return this.#projection.catchUp(headSeq);
  }

  rebuild(): Promise<number> {
    return this.#projection.rebuild();
  }

  reprocess(seq: number, part: string | null): Promise<ReprocessAnswer> {
    return this.#projection.reprocess(seq, part);
  }

  override alarm(): Promise<void> {
    return this.#projection.alarm();
  }
}
