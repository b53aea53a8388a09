import type { ProjectionBatch, ProjectionName } from "../../core/projection/batch.ts";
import type { ReprocessAnswer } from "../../core/projection/reprocess.ts";
import type { Environment } from "../../workers/environment.ts";

/** What the queue's consumer, the log and the monitors may ask of a projection. */
export interface ProjectionCalls {
  project(batches: readonly ProjectionBatch[]): Promise<number>;
  catchUp(headSeq: number): Promise<number>;
  retake(seq: number, part: string | null): Promise<ReprocessAnswer>;
}

export function projectionOf(env: Environment, name: ProjectionName, ecosystem: string): ProjectionCalls {
  switch (name) {
    case "observations":
      return env.OBSERVATION_CACHE.get(env.OBSERVATION_CACHE.idFromName(ecosystem));
    case "policy":
      return env.POLICY_STATE.get(env.POLICY_STATE.idFromName(ecosystem));
    case "workers":
      return env.WORKER_BOARD.get(env.WORKER_BOARD.idFromName(ecosystem));
  }
}
