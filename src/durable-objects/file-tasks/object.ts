import type { AgentSession, AgentSessions, SessionsQuery } from "../../core/agent-sessions/api.ts";
import { isSessionSignal } from "../../core/agent-sessions/board-signals.ts";
import { readSessionLimits, type SessionVariables } from "../../core/agent-sessions/limits.ts";
import type { SessionSettings, SessionSettingsChange } from "../../core/agent-sessions/settings.ts";
import type { FileTaskRecord, FileWorkerView } from "../../core/file-tasks/api.ts";
import { fileTaskSamples } from "../../core/metrics/samples.ts";
import { SessionBoard } from "../agent-sessions/session-board.ts";
import { SessionStore } from "../agent-sessions/session-store.ts";
import { SessionSettingsStore } from "../agent-sessions/settings-store.ts";
import type { Decisions } from "../shell/decisions.ts";
import { logLine } from "../shell/log-line.ts";
import { logEpoch } from "../shell/migrations/2-log-epoch.ts";
import { projectionCounts } from "../shell/migrations/3-counts.ts";
import type { ProjectedState } from "../shell/projected-state.ts";
import type { ProjectionEnvironment } from "../shell/projection-environment.ts";
import { ProjectionObject } from "../shell/projection-object.ts";
import type { Schema } from "../shell/schema.ts";
import { BoardStore } from "./board-store.ts";
import { boardErasure } from "./erasure.ts";
import { FileTaskBoard } from "./file-task-board.ts";

/** Bindings that the board uses. */
export interface BoardBindings extends ProjectionEnvironment, SessionVariables {}

/**
 * Who works in one ecosystem, as their signals report it: the file tasks and their workers on all hosts, and the sessions of
 * agents that report by telemetry or hooks.
 */
export class WorkerBoard extends ProjectionObject<BoardBindings> {
  static override readonly schema: Schema = {
    of: "WorkerBoard",
    steps: [logEpoch, projectionCounts],
    erasure: boardErasure,
  };
  readonly #store: BoardStore;
  readonly #board: FileTaskBoard;
  readonly #sessions: SessionBoard;
  readonly #settings: SessionSettingsStore;

  constructor(ctx: DurableObjectState, env: BoardBindings) {
    super(ctx, env, "workers");
    const { sql, alarms } = this;
    const wakeBy = (atMs: number) => alarms.wakeBy(atMs);
    const decide = (change: (decisions: Decisions) => void) => this.projection.decide(change);
    this.#store = new BoardStore(sql);
    const ended = (outcome: string) => this.counts().add("ganglion_file_tasks_finished", [outcome]);
    this.#board = new FileTaskBoard({ store: this.#store, wakeBy, decide, ended });
    const limits = readSessionLimits(env, (setting, value) =>
      logLine("warn", "invalid-setting", { setting, value, allowed: "seconds, more than 0" }),
    );
    this.#settings = new SessionSettingsStore(sql, limits);
    const store = new SessionStore(sql);
    this.#sessions = new SessionBoard({
      store,
      limits: () => this.#settings.limits,
      feeds: () => this.#settings.feeds,
      wakeBy,
      decide,
    });
    this.projection.attach(bothOf(this.#board, this.#sessions));
    this.reports.of(() => this.ownState(fileTaskSamples(this.#board.workers)));
  }

  workers(): FileWorkerView[] {
    return this.#board.workers;
  }

  /** All tasks of this id, newest first. */
  task(worker: string, taskId: string): FileTaskRecord[] {
    return this.#store.byId(worker, taskId);
  }

  agentSessions(query: SessionsQuery): AgentSessions {
    return this.#sessions.sessions(query, Date.now());
  }

  sessionSettings(): SessionSettings {
    return this.#settings.view;
  }

  changeSessionSettings(change: SessionSettingsChange): SessionSettings {
    this.#settings.change(change);
    this.#sessions.limitsChanged(Date.now());
    return this.#settings.view;
  }

  /** What needs somebody, and how far the log was taken in. */
  attention(): { cursor: number; sessions: AgentSession[] } {
    return { cursor: this.projection.cursor, sessions: this.#sessions.inNeed(Date.now()) };
  }
}

/** The two states as one: each signal belongs to one of them. */
function bothOf(tasks: ProjectedState, sessions: ProjectedState): ProjectedState {
  const both = [tasks, sessions];
  return {
    take: (signal, ...more) => (isSessionSignal(signal.signal) ? sessions : tasks).take(signal, ...more),
    store: (...changes) => {
      for (const state of both) state.store(...changes);
    },
    clear: () => {
      for (const state of both) state.clear();
    },
    load: () => {
      for (const state of both) state.load();
    },
    settled: async (nowMs) => {
      for (const state of both) await state.settled(nowMs);
    },
  };
}
