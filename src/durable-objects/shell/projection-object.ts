import type { LabelledCounts } from "../../core/collections/labelled-counts.ts";
import type { Sample } from "../../core/metrics/report.ts";
import { memorySamples } from "../../core/metrics/samples.ts";
import type { ProjectionPlace } from "../../core/projection/api.ts";
import type { ProjectionBatch, ProjectionName } from "../../core/projection/batch.ts";
import type { ReprocessAnswer } from "../../core/projection/reprocess.ts";
import { EcosystemObject } from "./ecosystem-object.ts";
import { Position } from "./position.ts";
import { Projection } from "./projection.ts";
import type { ProjectionEnvironment } from "./projection-environment.ts";
import type { ProjectionCalls } from "./projection-ports.ts";
import type { OwnState } from "./state-reports.ts";

/** An object that holds a {@link Projection}, and answers the calls that others make of the projection. */
export abstract class ProjectionObject<Bindings extends ProjectionEnvironment>
  extends EcosystemObject<Bindings>
  implements ProjectionCalls
{
  /** The class attaches its state in its constructor. */
  protected readonly projection: Projection;
  /** Counts for metrics, to be changed in a transaction of the projection, which writes them with its place. */
  protected readonly counts: () => LabelledCounts;
  /** What the projection reports of itself, with the samples of its class. */
  protected readonly ownState: (samples: readonly Sample[]) => OwnState;

  constructor(ctx: DurableObjectState, env: Bindings, name: ProjectionName) {
    super(ctx, env);
    const { ecosystem, sql, alarms, transaction } = this;
    const position = new Position(sql, name, ecosystem);
    this.projection = new Projection({ env, ecosystem, sql, alarms, transaction, name, position });
    this.counts = () => position.counts;
    this.ownState = (samples) => {
      const { counts, cursor } = position;
      const all = [...counts.list(), ...memorySamples(this.heap.uses), ...samples];
      return { samples: all, folded: counts.folded, cursor: [name, cursor] };
    };
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
