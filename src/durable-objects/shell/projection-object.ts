import type { ProjectionPlace } from "../../core/projection/api.ts";
import type { ProjectionBatch, ProjectionName } from "../../core/projection/batch.ts";
import type { ReprocessAnswer } from "../../core/projection/reprocess.ts";
import { EcosystemObject } from "./ecosystem-object.ts";
import { Projection } from "./projection.ts";
import type { ProjectionEnvironment } from "./projection-environment.ts";
import type { ProjectionCalls } from "./projection-ports.ts";

/** An object that holds a {@link Projection}, and answers the calls that others make of the projection. */
export abstract class ProjectionObject<Bindings extends ProjectionEnvironment>
  extends EcosystemObject<Bindings>
  implements ProjectionCalls
{
  /** The class attaches its state in its constructor. */
  protected readonly projection: Projection;

  constructor(ctx: DurableObjectState, env: Bindings, name: ProjectionName) {
    super(ctx, env);
    const { ecosystem, sql, alarms, transaction } = this;
    this.projection = new Projection({ env, ecosystem, sql, alarms, transaction, name });
  }

  project(batches: readonly ProjectionBatch[]): Promise<number> {
    return this.projection.project(batches);
  }

  catchUp(headSeq: number, log?: string): Promise<number> {
    return this.projection.catchUp(headSeq, log);
  }

  async place(): Promise<ProjectionPlace> {
    return { ...this.projection.place, ...this.size() };
  }

  rebuild(): Promise<number> {
    return this.projection.rebuild();
  }

  reprocess(seq: number, part: string | null): Promise<ReprocessAnswer> {
    return this.projection.reprocess(seq, part);
  }

  override alarm(): Promise<void> {
    return this.projection.alarm();
  }
}
