import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { ProjectionPlace } from "../../core/projection/api.ts";
import type { ProjectionBatch, ProjectionName } from "../../core/projection/batch.ts";
import type { ReprocessAnswer } from "../../core/projection/reprocess.ts";
import { type Namespace, objectNamed } from "./ports.ts";

/** Calls that the queue's consumer, the log, the dead letters and the cron make of an object with a projection. */
export interface ProjectionCalls {
  place(): Promise<ProjectionPlace>;
  project(batches: readonly ProjectionBatch[]): Promise<number>;
  catchUp(headSeq: number, log?: string): Promise<number>;
  reprocess(seq: number, part: string | null): Promise<ReprocessAnswer>;
}

/** Bindings to the objects that hold projections. */
export interface ProjectionBindings extends PlacementVariables {
  readonly OBSERVATION_CACHE: Namespace<ProjectionCalls>;
  readonly POLICY_STATE: Namespace<ProjectionCalls>;
  readonly WORKER_BOARD: Namespace<ProjectionCalls>;
}

export function projectionOf(env: ProjectionBindings, name: ProjectionName, ecosystem: string): ProjectionCalls {
  switch (name) {
    case "observations":
      return objectNamed(env.OBSERVATION_CACHE, ecosystem, env);
    case "policy":
      return objectNamed(env.POLICY_STATE, ecosystem, env);
    case "workers":
      return objectNamed(env.WORKER_BOARD, ecosystem, env);
  }
}
