import type { ErasureRules } from "../shell/erasure-rules.ts";

/** Schedules are what people have set. What workers said about the end of runs loses the name as any text does. */
export const schedulesErasure: ErasureRules = { kept: ["schedules"] };
