import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { ReadPage, ReadQuery } from "../../core/signals/api.ts";
import type { SourceExport } from "../../core/telemetry/settings.ts";
import type { Namespace } from "../shell/ports.ts";

/** A source of finished work, which is told what is exported. */
interface SourceCalls {
  exportTo(told: SourceExport): Promise<void>;
}

/** Bindings of an export. */
export interface TelemetryBindings extends PlacementVariables {
  readonly SIGNAL_LOG: Namespace<{
    read(query: ReadQuery): Promise<ReadPage>;
    reached(): Promise<{ head_seq: number; epoch: string }>;
    find(id: string): Promise<string | null>;
  }>;
  readonly DIRECTORY: Namespace<{
    mark(mark: "exporting", ecosystem: string, marked: boolean): Promise<void>;
    queues(ecosystem: string): Promise<{ name: string }[]>;
  }>;
  readonly POLICY_STATE: Namespace<SourceCalls>;
  readonly PRIORITY_QUEUE: Namespace<SourceCalls>;
  /** `true`: receivers may have http: URLs and addresses of private networks. Default: they may not. */
  readonly WEBHOOKS_ALLOW_PRIVATE?: string;
}
