import * as z from "zod";

export const MsOrNull = z.number().nullable();

/** Of this hour and the one before: `p…` of the time that workers held the tasks, `waiting_p…` of the time before. */
export const PercentileFields = {
  mean_ms: MsOrNull.optional().meta({ description: "Mean of the running time; null: no task ran" }),
  waiting_mean_ms: MsOrNull.optional().meta({ description: "Mean of the time before; null: no task" }),
  p50_ms: MsOrNull,
  p95_ms: MsOrNull,
  p99_ms: MsOrNull,
  waiting_p50_ms: MsOrNull,
  waiting_p95_ms: MsOrNull,
  waiting_p99_ms: MsOrNull,
};

/** Of a whole queue. */
export const MedianFields = {
  wait_p50_ms: MsOrNull.optional().meta({
    description: "Median of the waiting time of all tasks of this hour and the one before; null: no task",
  }),
  run_p50_ms: MsOrNull.optional().meta({
    description: "Median of the running time of all tasks of this hour and the one before; null: no task ran",
  }),
};
