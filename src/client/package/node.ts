/** The rest of the package `@ganglion/client`: what needs Node. */
export { type HeartbeatSender, openHeartbeat } from "../heartbeat.ts";
export { nodeFetch } from "../http/node-fetch.ts";
export { type ConnectedLocks, type OpenLocksOptions, openLocks } from "../locks/open-locks.ts";
export { openSocketSource } from "../stream/socket-source.ts";
export { type Caller, type CallerOptions, openCaller } from "../work/caller.ts";
export { answer, type Responder } from "../work/responder.ts";
export type { TaskContext, TaskLockOptions } from "../work/task-handler.ts";
export { type TaskHandler, TaskRefused, TaskReleased, type Worker, type WorkOptions, work } from "../work/worker.ts";
