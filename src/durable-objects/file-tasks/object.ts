import type { FileTaskRecord, FileWorkerView } from "../../core/file-tasks/api.ts";
import { logEpoch } from "../shell/migrations/2-log-epoch.ts";
import type { ProjectionEnvironment } from "../shell/projection-environment.ts";
import { ProjectionObject } from "../shell/projection-object.ts";
import type { Schema } from "../shell/schema.ts";
import { BoardStore } from "./board-store.ts";
import { FileTaskBoard } from "./file-task-board.ts";

/** Bindings that the board uses. */
export interface BoardBindings extends ProjectionEnvironment {}

/** The file tasks of one ecosystem and their workers on all hosts: the state of each task, and overdue attempts. */
export class WorkerBoard extends ProjectionObject<BoardBindings> {
  static override readonly schema: Schema = { of: "WorkerBoard", steps: [logEpoch] };
  readonly #store: BoardStore;
  readonly #board: FileTaskBoard;

  constructor(ctx: DurableObjectState, env: BoardBindings) {
    super(ctx, env, "workers");
    const { sql, alarms } = this;
    this.#store = new BoardStore(sql);
    this.#board = new FileTaskBoard({
      store: this.#store,
      wakeBy: (atMs) => alarms.wakeBy(atMs),
      decide: (change) => this.projection.decide(change),
    });
    this.projection.attach(this.#board);
  }

  workers(): FileWorkerView[] {
    return this.#board.workers;
  }

  /** All tasks of this id, newest first. */
  task(worker: string, taskId: string): FileTaskRecord[] {
    return this.#store.byId(worker, taskId);
  }
}
