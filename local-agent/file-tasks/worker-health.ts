/** What a file worker is doing, for people and for the edge. */
export interface WorkerHealth {
  readonly worker: string;
  readonly state: "idle" | "working" | "open" | "stopped" | "failing";
  readonly detail?: string;
  readonly running: readonly { readonly task_id: string; readonly attempt: number; readonly started_at: string }[];
  /** Files in the directory that are not claimed. */
  readonly waiting: number;
  /** Claimed tasks that wait for their next attempt. */
  readonly retrying: number;
  /** Claimed tasks that are in the edge's queue, for any host with a free slot. */
  readonly submitted: number;
  /** Tasks of any host that this host is running. */
  readonly for_fleet: number;
  /** Since the start. */
  readonly complete: number;
  readonly failed: number;
}
