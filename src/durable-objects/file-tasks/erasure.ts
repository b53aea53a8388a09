import type { ErasureRules } from "../shell/erasure-rules.ts";

/** Sessions of agents, and tasks that were dropped as files, go where the source is named in them. */
export const boardErasure: ErasureRules = {
  rows: { agent_sessions: { whole: true }, open_tasks: { whole: true }, finished_tasks: { whole: true } },
};
