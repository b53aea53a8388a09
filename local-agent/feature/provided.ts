import type { TracedRun } from "../../src/core/hosts/signal-trace.ts";
import type { GatherFacts } from "./edge-link.ts";

/** Reading of one GPU. A value that the driver does not know (`[N/A]`) is absent. Names are those of the facts. */
export interface GpuReading {
  readonly index: number;
  readonly name: string;
  readonly gpu_utilization?: number;
  readonly gpu_memory_used_mb?: number;
  readonly gpu_memory_total_mb?: number;
  readonly gpu_temperature_c?: number;
}

/** Calls that one feature provides to the others and to the link. A feature that is off provides nothing. */
export interface Provided {
  readonly gpuReadings?: () => readonly GpuReading[];
  /** Publishes on the host's own bus and does not send to the edge. */
  readonly publishLocally?: (signal: string, facts: Readonly<Record<string, unknown>>) => void;
  /** Is told of each signal that a program of this host has sent over the bus. */
  readonly heardOnBus?: (signal: string, facts: Readonly<Record<string, unknown>>) => void;
  /** The runs of this host's reactions to the signal with this id. */
  readonly reactionsTo?: (id: string) => readonly TracedRun[];
  readonly gatherFacts?: GatherFacts;
}
